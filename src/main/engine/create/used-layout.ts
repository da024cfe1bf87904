/** A disk of which only some stretches are read; the rest is as ignored as unused space in an image. */
import { allocateExtentTable, kindIndex, type ExtentLayout } from '#engine/formats/extents'
import { invariant } from '#shared/errors'
import { unreadRowsOf, type Stretch } from './volume-edges.ts'

interface Row {
  readonly from: number
  readonly to: number
  readonly kind: 'raw' | 'zero' | 'ignore'
  readonly storedOffset: number
}

/**
 * `layout`, whose rows must all be raw, without what lies outside `ranges`: ascending stretches of the disk, in bytes, whole
 * sectors. Where that lies in one of `edges`, ascending as well, the disk is zeros.
 */
export function usedLayout(
  layout: ExtentLayout,
  ranges: Iterable<Stretch>,
  edges: readonly Stretch[] = [],
): ExtentLayout {
  const rows: Row[] = []
  const unreadRows = unreadRowsOf(edges)
  const skip = (from: number, to: number) => {
    for (const row of unreadRows(from, to)) rows.push({ ...row, storedOffset: 0 })
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
      rows.push({
        from: at,
        to: end,
        kind: 'raw',
        storedOffset: (extents.storedOffset[row] ?? 0) + at - start,
      })
      at = end
    }
  }
  skip(at, sizeBytes)
  const table = allocateExtentTable(rows.length)
  rows.forEach(({ from, to, kind, storedOffset }, index) => {
    table.diskOffset[index] = from
    table.diskBytes[index] = to - from
    table.storedOffset[index] = storedOffset
    table.storedBytes[index] = kind === 'raw' ? to - from : 0
    table.kind[index] = kindIndex[kind]
  })
  return { ...layout, extents: table, checks: [], storedChecks: [] }
}
