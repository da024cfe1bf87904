/**
 * UDIF's zlib runs: one RFC 1950 stream that fills the run and ends where the stored bytes end (no image seen has bytes
 * after it, so bytes after it are an error).
 */
import { createInflate, inflateSync } from 'node:zlib'
import { corrupt } from './corrupt.ts'
import { zlibHandleOf, type ZlibProblem } from './zlib-handle.ts'

/** `ended`: exactly filled. `short`: ended before. `long`: wants more room. Lengths in bytes. */
export type Inflated =
  | { readonly kind: 'ended'; readonly inputLeft: number }
  | { readonly kind: 'short'; readonly roomLeft: number }
  | { readonly kind: 'long' }
  | ZlibProblem

/** Inflates one stream into a buffer; never writes outside it. */
export type Inflate = (stored: Uint8Array, into: Uint8Array) => Inflated

/** Over the binding; null where that isn't what it was when this was written. */
export function openHandleInflater(): Inflate | null {
  const handle = zlibHandleOf(createInflate({ chunkSize: 64 }))
  if (handle === null) return null
  const beyond = new Uint8Array(1)
  const inflate: Inflate = (stored, into) => {
    handle.reset()
    let inputLeft = stored.length
    // zlib takes no buffer of no bytes.
    if (into.length > 0) {
      const after = handle.finish(stored, 0, into)
      if (after.kind === 'problem') return after
      if (after.room > 0) return { kind: 'short', roomLeft: after.room }
      inputLeft = after.input
    }
    // Full, which isn't yet ended: a step with one byte of room more tells a stream that ended from one that was cut off
    // in its checksum, and from one that goes on.
    const after = handle.finish(stored, stored.length - inputLeft, beyond)
    if (after.kind === 'problem') return after
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
