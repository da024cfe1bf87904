/**
 * UDIF's zlib runs: one RFC 1950 stream that fills the run and ends where the stored bytes end (no image seen has bytes
 * after it, so bytes after it are an error).
 */
import { constants, createInflate, inflateSync } from 'node:zlib'
import { corrupt } from './corrupt.ts'

/**
 * Node's binding under every zlib object. One for the thread, written to directly, inflates straight into the caller's
 * buffer; `inflateSync` allocates a state, an output and a copy for each run and is a sixth slower. The binding isn't
 * documented, so `openHandleInflater` tries it once, and `inflateSync` stands in where it doesn't behave.
 */
interface InflateHandle {
  reset(): void
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void
  onerror: (message: string, errno: number, code: string) => void
}

/** `ended`: exactly filled. `short`: ended before. `long`: wants more room. Lengths in bytes. */
export type Inflated =
  | { readonly kind: 'ended'; readonly inputLeft: number }
  | { readonly kind: 'short'; readonly roomLeft: number }
  | { readonly kind: 'long' }
  | { readonly kind: 'problem'; readonly message: string; readonly isCutOff: boolean }

/** Inflates one stream into a buffer; never writes outside it. */
export type Inflate = (stored: Uint8Array, into: Uint8Array) => Inflated

/** Over the binding; null where that isn't what it was when this was written. */
export function openHandleInflater(): Inflate | null {
  const stream = createInflate({ chunkSize: 64 }) as unknown as {
    readonly _handle?: InflateHandle
    readonly _writeState?: Uint32Array
  }
  const handle = stream._handle
  const left = stream._writeState
  if (typeof handle?.writeSync !== 'function' || typeof handle.reset !== 'function') return null
  if (!(left instanceof Uint32Array) || left.length < 2) return null

  let problem: Extract<Inflated, { kind: 'problem' }> | null = null
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- not an event target
  handle.onerror = (message, _errno, code) => {
    problem = { kind: 'problem', message, isCutOff: code === 'Z_BUF_ERROR' }
  }
  const beyond = new Uint8Array(1)
  /** How much room and input are left; null after a problem, which leaves the counts as they were. */
  const write = (
    input: Uint8Array,
    from: number,
    into: Uint8Array,
  ): { room: number; input: number } | null => {
    problem = null
    handle.writeSync(constants.Z_FINISH, input, from, input.length - from, into, 0, into.length)
    return problem === null ? { room: left[0] ?? 0, input: left[1] ?? 0 } : null
  }
  const inflate: Inflate = (stored, into) => {
    handle.reset()
    // zlib takes no buffer of no bytes.
    let after = into.length > 0 ? write(stored, 0, into) : { room: 0, input: stored.length }
    if (after !== null && after.room > 0) return { kind: 'short', roomLeft: after.room }
    // Full, which isn't yet ended: a step with one byte of room more tells a stream that ended from one that was cut off
    // in its checksum, and from one that goes on.
    if (after !== null) after = write(stored, stored.length - after.input, beyond)
    if (after === null) return problem ?? { kind: 'problem', message: 'unknown', isCutOff: false }
    return after.room === 0 ? { kind: 'long' } : { kind: 'ended', inputLeft: after.input }
  }
  return behaves(inflate) ? inflate : null
}

/** The documented way. */
export function inflateByTheBook(stored: Uint8Array, into: Uint8Array): Inflated {
  try {
    const { buffer, engine } = inflateSync(stored, {
      info: true,
      chunkSize: Math.max(64, into.length + 1),
      maxOutputLength: Math.max(1, into.length),
    }) as unknown as { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } }
    if (buffer.length > into.length) return { kind: 'long' }
    into.set(buffer)
    if (buffer.length < into.length) return { kind: 'short', roomLeft: into.length - buffer.length }
    return { kind: 'ended', inputLeft: stored.length - engine.bytesWritten }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') return { kind: 'long' }
    if (!('errno' in error)) throw error
    const isCutOff = 'code' in error && error.code === 'Z_BUF_ERROR'
    return { kind: 'problem', message: error.message, isCutOff }
  }
}

/** "reprise" deflated: whole, without its last byte, with one more, and with too little and too much room. */
function behaves(inflate: Inflate): boolean {
  const whole = Uint8Array.from([120, 156, 43, 74, 45, 40, 202, 44, 78, 5, 0, 12, 1, 2, 251])
  const kinds = [
    inflate(whole, new Uint8Array(7)),
    inflate(whole.subarray(0, -1), new Uint8Array(7)),
    inflate(whole, new Uint8Array(6)),
    inflate(whole, new Uint8Array(8)),
  ].map((result) => result.kind)
  const into = new Uint8Array(7)
  const padded = inflate(Uint8Array.from([...whole, 0]), into)
  return (
    kinds.join() === 'ended,problem,long,short' &&
    padded.kind === 'ended' &&
    padded.inputLeft === 1 &&
    new TextDecoder().decode(into) === 'reprise'
  )
}

let inflate: Inflate | undefined

/** Expand `stored` into all of `into`. Throws FormatError E_SRC_CORRUPT. */
export function decodeZlibRun(stored: Uint8Array, into: Uint8Array): void {
  inflate ??= openHandleInflater() ?? inflateByTheBook
  const result = inflate(stored, into)
  switch (result.kind) {
    case 'ended':
      if (result.inputLeft === 0) return
      throw corrupt('zlib', 'bytes after the end of the stream', {
        field: 'compLength',
        offset: stored.length - result.inputLeft,
      })
    case 'short':
      throw corrupt('zlib', 'the run is too short', {
        field: 'length',
        offset: stored.length,
        found: into.length - result.roomLeft,
        expected: into.length,
      })
    case 'long':
      throw corrupt('zlib', 'the run expands to more than it stands for', {
        field: 'length',
        offset: 0,
        expected: into.length,
      })
    case 'problem':
      throw corrupt('zlib', result.message, {
        field: 'deflate',
        offset: result.isCutOff ? stored.length : 0,
      })
  }
}
