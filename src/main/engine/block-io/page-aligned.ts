/**
 * Memory that begins at a page and can be shared with worker threads: what direct I/O asks of a buffer. Node has no
 * call for it, but the memory of WebAssembly is mapped by the page.
 */

type WasmMemory = new (limits: { initial: number; maximum: number; shared: true }) => {
  readonly buffer: SharedArrayBuffer
}

// Neither the library of the language nor Node's types name it, and the DOM's aren't for engines.
const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: WasmMemory } }).WebAssembly

const wasmPageBytes = 65_536

/**
 * `lengthBytes` zeros, page-aligned, shared. It takes room in pieces, as it is touched, and goes when nobody holds it.
 * Throws RangeError when there isn't so much (4 GiB at most).
 */
export function allocatePageAligned(lengthBytes: number): Uint8Array<SharedArrayBuffer> {
  const pages = Math.ceil(lengthBytes / wasmPageBytes)
  const { buffer } = new Memory({ initial: pages, maximum: pages, shared: true })
  aligned.add(buffer)
  return new Uint8Array(buffer, 0, lengthBytes)
}

/** This thread's memory that is known to begin at a page. */
const aligned = new WeakSet<ArrayBufferLike>()

/** True when the first byte is known to lie at a multiple of `alignmentBytes` (at most a page) in memory. */
export function isAlignedInMemory(bytes: Uint8Array, alignmentBytes: number): boolean {
  return alignmentBytes === 1 || (aligned.has(bytes.buffer) && bytes.byteOffset % alignmentBytes === 0)
}
