/**
 * Finds zeros nobody announced: in raw images, in compressed streams, in runs that were compressed although they hold
 * nothing. A window is looked at in up to 32 pieces, so that the result is one word; a piece that holds data is told by
 * its first bytes, so the search costs next to nothing where there is nothing to find.
 */
import { stretchParts, type BlockMap } from './block-map.ts'

const pieceFloorBytes = 128 * 1024
const pageBytes = 4096

/** Whole pages; a window has at most 32. */
export function zeroPieceBytes(windowBytes: number): number {
  return Math.max(pieceFloorBytes, Math.ceil(windowBytes / 32 / pageBytes) * pageBytes)
}

/** What pieces are compared with. One for a thread. */
export function zeroReference(windowBytes: number): Buffer {
  return Buffer.alloc(Math.min(windowBytes, zeroPieceBytes(windowBytes)))
}

/**
 * Bit p: piece p of `window` (its first `lengthBytes` bytes count) is all zeros. `window` may be shared memory.
 */
export function findZeroPieces(window: Uint8Array, lengthBytes: number, reference: Buffer): number {
  const bytes = Buffer.from(window.buffer as ArrayBuffer, window.byteOffset, window.length)
  let found = 0
  for (let piece = 0, at = 0; at < lengthBytes; piece++, at += reference.length) {
    const end = Math.min(lengthBytes, at + reference.length)
    if (isZero(bytes, at, end, reference)) found |= 1 << piece
  }
  return found
}

/**
 * Like `findZeroPieces` for a window of which only stretches were filled: a piece counts when it lies in one stretch as
 * a whole (or to the end of the disk).
 */
export function findZeroPiecesInStretches(
  map: BlockMap,
  windowStart: number,
  window: Uint8Array,
  reference: Buffer,
): number {
  const bytes = Buffer.from(window.buffer as ArrayBuffer, window.byteOffset, window.length)
  let found = 0
  for (const [from, to] of stretchParts(map, windowStart, windowStart + map.windowBytes)) {
    let piece = Math.ceil((from - windowStart) / reference.length)
    for (; ; piece++) {
      const at = piece * reference.length
      const end = Math.min(at + reference.length, map.windowBytes, map.sizeBytes - windowStart)
      if (at >= end || windowStart + end > to) break
      if (isZero(bytes, at, end, reference)) found |= 1 << piece
    }
  }
  return found
}

/** Two bytes tell nearly all data without a call out of JavaScript. */
function isZero(bytes: Buffer, from: number, to: number, reference: Buffer): boolean {
  if (bytes[from] !== 0 || bytes[to - 1] !== 0) return false
  return bytes.compare(reference, 0, to - from, from, to) === 0
}
