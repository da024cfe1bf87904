/** Where an image has nothing to say: which bytes of a stretch it marks as unused. */
import { findExtent, kindIndex, type ExtentTable } from '#engine/formats/extents'

/** Parts of `from` to `to` (exclusive) in rows that are ignored, in order, neighbours as one. */
export function* unusedParts(
  table: ExtentTable,
  from: number,
  to: number,
): Generator<readonly [number, number]> {
  const { count, diskOffset, diskBytes, kind } = table
  const first = from < to ? findExtent(table, from) : -1
  if (first < 0) return
  for (let row = first; row < count && (diskOffset[row] ?? 0) < to;) {
    if (kind[row] !== kindIndex.ignore) {
      row++
      continue
    }
    const start = Math.max(from, diskOffset[row] ?? 0)
    let end = start
    for (; row < count && kind[row] === kindIndex.ignore && end < to; row++)
      end = (diskOffset[row] ?? 0) + (diskBytes[row] ?? 0)
    if (end > start) yield [start, Math.min(end, to)]
  }
}

export function unusedBytes(table: ExtentTable): number {
  let bytes = 0
  for (let row = 0; row < table.count; row++)
    if (table.kind[row] === kindIndex.ignore) bytes += table.diskBytes[row] ?? 0
  return bytes
}
