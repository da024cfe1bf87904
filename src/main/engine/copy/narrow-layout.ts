/** A layout in which only one stretch of the disk holds anything, so that reading that stretch again costs little. */
import {
  allocateExtentTable,
  findExtent,
  kindIndex,
  type ExtentTable,
  type ImageLayout,
} from '#engine/formats/extents'

/**
 * Compressed runs that touch the stretch stay whole, raw ones are clipped to it; what is before and after becomes
 * unused. A compressed stream can't be narrowed: it comes as it is.
 */
export function narrowLayout(layout: ImageLayout, offset: number, lengthBytes: number): ImageLayout {
  if (layout.kind === 'stream') return layout
  const { extents, sizeBytes } = layout
  const end = Math.min(sizeBytes, offset + lengthBytes)
  const first = findExtent(extents, offset)
  const last = findExtent(extents, end - 1)
  if (first < 0 || last < first) return layout
  const rows = Array.from({ length: last - first + 1 }, (_, index) =>
    clipped(extents, first + index, offset, end),
  )
  const from = rows[0]?.diskOffset ?? 0
  const to = (rows.at(-1)?.diskOffset ?? 0) + (rows.at(-1)?.diskBytes ?? 0)
  const table = fromRows([
    ...(from > 0 ? [unused(0, from)] : []),
    ...rows,
    ...(to < sizeBytes ? [unused(to, sizeBytes - to)] : []),
  ])
  return { ...layout, extents: table, checks: [] }
}

interface Row {
  readonly diskOffset: number
  readonly diskBytes: number
  readonly storedOffset: number
  readonly storedBytes: number
  readonly kind: number
}

function clipped(table: ExtentTable, index: number, from: number, to: number): Row {
  const row: Row = {
    diskOffset: table.diskOffset[index] ?? 0,
    diskBytes: table.diskBytes[index] ?? 0,
    storedOffset: table.storedOffset[index] ?? 0,
    storedBytes: table.storedBytes[index] ?? 0,
    kind: table.kind[index] ?? 0,
  }
  if (row.kind !== kindIndex.raw) return row
  const before = Math.max(0, from - row.diskOffset)
  const diskBytes = Math.min(row.diskOffset + row.diskBytes, to) - (row.diskOffset + before)
  return {
    ...row,
    diskOffset: row.diskOffset + before,
    diskBytes,
    storedOffset: row.storedOffset + before,
    // A raw run may store less than it covers: the rest is zeros.
    storedBytes: Math.max(0, Math.min(row.storedBytes - before, diskBytes)),
  }
}

const unused = (diskOffset: number, diskBytes: number): Row => ({
  diskOffset,
  diskBytes,
  storedOffset: 0,
  storedBytes: 0,
  kind: kindIndex.ignore,
})

function fromRows(rows: readonly Row[]): ExtentTable {
  const table = allocateExtentTable(rows.length)
  for (const [index, row] of rows.entries()) {
    table.diskOffset[index] = row.diskOffset
    table.diskBytes[index] = row.diskBytes
    table.storedOffset[index] = row.storedOffset
    table.storedBytes[index] = row.storedBytes
    table.kind[index] = row.kind
  }
  return table
}
