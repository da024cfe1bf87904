/** A disk of which only some stretches are read; the rest is as ignored as unused space in an image. */
import { allocateExtentTable, kindIndex, type ExtentLayout } from '#engine/formats/extents'
import { invariant } from '#shared/errors'

/**
 * `layout`, whose rows must all be raw, without what lies outside `ranges`: ascending stretches of the disk, in bytes, whole
 * sectors.
 */
export function usedLayout(
  layout: ExtentLayout,
  ranges: Iterable<readonly [from: number, to: number]>,
): ExtentLayout {
  const rows: { readonly from: number; readonly to: number; readonly storedOffset: number | null }[] = []
  const skip = (from: number, to: number) => {
    if (to > from) rows.push({ from, to, storedOffset: null })
  }
  const { extents, sizeBytes } = layout
  let row = 0
  let at = 0
  for (const [from, to] of ranges) {
    skip(at, from)
    for (at = from; at < to;) {
      while ((extents.diskOffset[row] ?? Infinity) + (extents.diskBytes[row] ?? 0) <= at) row += 1
      const start = extents.diskOffset[row] ?? 0
      const length = extents.diskBytes[row] ?? 0
      invariant(row < extents.count && extents.kind[row] === kindIndex.raw, 'a row that is not raw')
      invariant(extents.storedBytes[row] === length, 'a row that is stored short')
      const end = Math.min(to, start + length)
      rows.push({ from: at, to: end, storedOffset: (extents.storedOffset[row] ?? 0) + at - start })
      at = end
    }
  }
  skip(at, sizeBytes)
  const table = allocateExtentTable(rows.length)
  rows.forEach(({ from, to, storedOffset }, index) => {
    table.diskOffset[index] = from
    table.diskBytes[index] = to - from
    table.storedOffset[index] = storedOffset ?? 0
    table.storedBytes[index] = storedOffset === null ? 0 : to - from
    table.kind[index] = storedOffset === null ? kindIndex.ignore : kindIndex.raw
  })
  return { ...layout, extents: table, checks: [], storedChecks: [] }
}
