/** What to tell of a stretch of the disk: pure functions from the plan to the parts of a stream, before they get buffers. */
import { findExtent, kindIndex, type ExtentTable } from '#engine/formats/extents'
import { stretchParts, type BlockMap } from './block-map.ts'
import { zeroPieceBytes } from './zero-pieces.ts'

/** Bytes `from` to `to` (exclusive) of the disk. */
export interface Part {
  readonly kind: 'data' | 'zero' | 'unused'
  readonly from: number
  readonly to: number
}

/**
 * The parts of a gap between stretches: unused space shrinks to whole units and is told from `leastUnusedBytes` on; the
 * rest is zeros. `from` and `to` are whole units or the ends of the disk.
 */
export function* gapParts(
  extents: ExtentTable,
  from: number,
  to: number,
  {
    alignmentBytes,
    leastUnusedBytes,
  }: { readonly alignmentBytes: number; readonly leastUnusedBytes: number },
): Generator<Part> {
  let told = from
  let row = findExtent(extents, from)
  while (row >= 0 && row < extents.count) {
    if ((extents.diskOffset[row] ?? 0) >= to) break
    if (extents.kind[row] !== kindIndex.ignore) {
      row++
      continue
    }
    const start = Math.max(told, extents.diskOffset[row] ?? 0)
    while (row < extents.count && extents.kind[row] === kindIndex.ignore) row++
    const end = row < extents.count ? Math.min(to, extents.diskOffset[row] ?? 0) : to
    const unusedFrom = Math.ceil(start / alignmentBytes) * alignmentBytes
    const unusedTo = end === to ? to : Math.floor(end / alignmentBytes) * alignmentBytes
    if (unusedTo - unusedFrom < leastUnusedBytes) continue
    if (unusedFrom > told) yield { kind: 'zero', from: told, to: unusedFrom }
    yield { kind: 'unused', from: unusedFrom, to: unusedTo }
    told = unusedTo
  }
  if (to > told) yield { kind: 'zero', from: told, to }
}

/** The data of one block, with the pieces that turned out to be zeros told as such. */
export function* blockParts(map: BlockMap, windowStart: number, zeroPieces: number): Generator<Part> {
  for (const [from, to] of stretchParts(map, windowStart, windowStart + map.windowBytes))
    yield* splitAtZeros(windowStart, from, to, { windowBytes: map.windowBytes, zeroPieces })
}

/** `from` to `to` in the window that begins at `windowStart`. */
export function* splitAtZeros(
  windowStart: number,
  from: number,
  to: number,
  { windowBytes, zeroPieces }: { readonly windowBytes: number; readonly zeroPieces: number },
): Generator<Part> {
  if (zeroPieces === 0) {
    yield { kind: 'data', from, to }
    return
  }
  const pieceBytes = zeroPieceBytes(windowBytes)
  let at = from
  while (at < to) {
    const isZero = (offset: number) =>
      ((zeroPieces >>> Math.floor((offset - windowStart) / pieceBytes)) & 1) === 1
    const kind = isZero(at) ? 'zero' : 'data'
    let end = at
    do end = Math.min(to, windowStart + (Math.floor((end - windowStart) / pieceBytes) + 1) * pieceBytes)
    while (end < to && isZero(end) === (kind === 'zero'))
    yield { kind, from: at, to: end }
    at = end
  }
}
