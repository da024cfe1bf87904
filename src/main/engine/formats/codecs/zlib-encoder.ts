/** Writes zlib runs (RFC 1950), by Node's own zlib. */
import { createDeflate, deflateSync } from 'node:zlib'
import { zlibHandleOf } from './zlib-handle.ts'

/** Deflates into a buffer; the number of bytes, or null when they don't fit, in which case anything may be there. */
export type Deflate = (run: Uint8Array, into: Uint8Array) => number | null

/** Over the binding; null where that isn't what it was when this was written. */
export function openHandleDeflater(level: number): Deflate | null {
  const handle = zlibHandleOf(createDeflate({ level, chunkSize: 64 }))
  if (handle === null) return null
  const deflate: Deflate = (run, into) => {
    // zlib takes no buffer of no bytes.
    if (into.length === 0) return null
    handle.reset()
    const left = handle.finish(run, 0, into)
    // Room that is left says that the stream has ended.
    if (left.kind === 'problem' || left.room === 0 || left.input !== 0) return null
    return into.length - left.room
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
