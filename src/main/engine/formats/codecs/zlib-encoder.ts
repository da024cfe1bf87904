/**
 * Writes zlib runs (RFC 1950), by Node's own zlib. As in `zlib-run.ts`, the binding under Node's zlib objects is written
 * to directly where it behaves: `deflateSync` makes a state, an output and a copy for each run, and with several
 * threads doing so the garbage is larger than the image's runs. `deflateSync` stands in where it doesn't behave.
 */
import { constants, createDeflate, deflateSync } from 'node:zlib'

interface DeflateHandle {
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

/** Deflates into a buffer; the number of bytes, or null when they don't fit, in which case anything may be there. */
export type Deflate = (run: Uint8Array, into: Uint8Array) => number | null

/** Over the binding; null where that isn't what it was when this was written. */
export function openHandleDeflater(level: number): Deflate | null {
  const stream = createDeflate({ level, chunkSize: 64 }) as unknown as {
    readonly _handle?: DeflateHandle
    readonly _writeState?: Uint32Array
  }
  const handle = stream._handle
  const left = stream._writeState
  if (typeof handle?.writeSync !== 'function' || typeof handle.reset !== 'function') return null
  if (!(left instanceof Uint32Array) || left.length < 2) return null

  let failed = false
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- not an event target
  handle.onerror = () => {
    failed = true
  }
  const deflate: Deflate = (run, into) => {
    // zlib takes no buffer of no bytes.
    if (into.length === 0) return null
    failed = false
    handle.reset()
    handle.writeSync(constants.Z_FINISH, run, 0, run.length, into, 0, into.length)
    // Room that is left says that the stream has ended.
    const room = left[0] ?? 0
    return failed || room === 0 || left[1] !== 0 ? null : into.length - room
  }
  return behaves(deflate, level) ? deflate : null
}

/** The documented way. */
export function deflateByTheBook(level: number): Deflate {
  return (run, into) => {
    const stored = deflateSync(run, { level })
    if (stored.length > into.length) return null
    into.set(stored)
    return stored.length
  }
}

/** The same bytes as by the book, twice in a row, and no with too little room in between. */
function behaves(deflate: Deflate, level: number): boolean {
  const run = Buffer.from('reprise, reprise, reprise')
  const wanted = deflateSync(run, { level })
  const into = new Uint8Array(wanted.length + 1)
  const isRight = () => deflate(run, into) === wanted.length && wanted.equals(into.subarray(0, wanted.length))
  return isRight() && deflate(run, new Uint8Array(wanted.length - 1)) === null && isRight()
}

const deflaters = new Map<number, Deflate>()

/** `run` as a zlib stream, written into `into`; the number of bytes, or null when they don't fit. */
export function encodeZlib(run: Uint8Array, into: Uint8Array, level: number): number | null {
  let deflate = deflaters.get(level)
  if (deflate === undefined) {
    deflate = openHandleDeflater(level) ?? deflateByTheBook(level)
    deflaters.set(level, deflate)
  }
  return deflate(run, into)
}
