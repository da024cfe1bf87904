/** A layout in which only some blocks of the disk hold anything, so that reading those again costs little. */
import { allocateExtentTable, kindIndex, type ExtentLayout, type ExtentTable } from '#engine/formats/extents'

export interface Selection {
  readonly blockBytes: number
  readonly isSelected: (index: number) => boolean
  /** What becomes of unused space inside the selected blocks. */
  readonly unused: 'unused' | 'zeros'
}

/**
 * Compressed runs that touch a selected block stay whole; raw ones and zeros are clipped to selected blocks; everything
 * else becomes unused. It has no checksums any more. Two walks over the table, and no more memory than the result.
 */
export function selectBlocks(layout: ExtentLayout, selection: Selection): ExtentLayout {
  let count = 0
  walk(layout, selection, () => void count++)
  const table = allocateExtentTable(count)
  let at = 0
  walk(layout, selection, (row) => {
    table.diskOffset[at] = row.diskOffset
    table.diskBytes[at] = row.diskBytes
    table.storedOffset[at] = row.storedOffset
    table.storedBytes[at] = row.storedBytes
    table.kind[at] = row.kind
    at++
  })
  return { ...layout, extents: table, checks: [], storedChecks: [] }
}

interface Row {
  readonly diskOffset: number
  readonly diskBytes: number
  readonly storedOffset: number
  readonly storedBytes: number
  readonly kind: number
}

function walk({ extents }: ExtentLayout, selection: Selection, emit: (row: Row) => void): void {
  const { isSelected, blockBytes, unused } = selection
  /** Unused space that wasn't told yet: neighbours become one row. */
  let from = 0
  let to = 0
  const skip = (end: number) => {
    to = end
  }
  const tell = (row: Row) => {
    if (to > from)
      emit({
        diskOffset: from,
        diskBytes: to - from,
        storedOffset: 0,
        storedBytes: 0,
        kind: kindIndex.ignore,
      })
    emit(row)
    from = row.diskOffset + row.diskBytes
    to = from
  }
  for (let index = 0; index < extents.count; index++) {
    const row = rowAt(extents, index)
    const end = row.diskOffset + row.diskBytes
    const isIgnored = row.kind === kindIndex.ignore
    if (isIgnored && unused === 'unused') skip(end)
    else if (isIgnored || row.kind === kindIndex.zero || row.kind === kindIndex.raw) {
      const kind = isIgnored ? kindIndex.zero : row.kind
      for (const [start, until, isIn] of parts(row.diskOffset, end, selection)) {
        if (isIn) tell({ ...clipped(row, start, until), kind })
        else skip(until)
      }
    } else if (touches(row, blockBytes, isSelected)) tell(row)
    else skip(end)
  }
  if (to > from)
    emit({ diskOffset: from, diskBytes: to - from, storedOffset: 0, storedBytes: 0, kind: kindIndex.ignore })
}

/** Stretches of `from` to `to`, in order: start, end, and whether their blocks are selected. */
function* parts(
  from: number,
  to: number,
  { blockBytes, isSelected }: Selection,
): Generator<readonly [number, number, boolean]> {
  let at = from
  while (at < to) {
    const first = Math.floor(at / blockBytes)
    const isIn = isSelected(first)
    let last = first
    while ((last + 1) * blockBytes < to && isSelected(last + 1) === isIn) last++
    const end = Math.min(to, (last + 1) * blockBytes)
    yield [at, end, isIn]
    at = end
  }
}

function touches(
  { diskOffset, diskBytes }: Row,
  blockBytes: number,
  isSelected: Selection['isSelected'],
): boolean {
  for (let index = Math.floor(diskOffset / blockBytes); index * blockBytes < diskOffset + diskBytes; index++)
    if (isSelected(index)) return true
  return false
}

/** A raw row may store less than it covers: the rest is zeros. */
function clipped(row: Row, start: number, end: number): Row {
  const before = start - row.diskOffset
  const stored = row.kind === kindIndex.raw
  return {
    ...row,
    diskOffset: start,
    diskBytes: end - start,
    storedOffset: stored ? row.storedOffset + before : 0,
    storedBytes: stored ? Math.max(0, Math.min(row.storedBytes - before, end - start)) : 0,
  }
}

const rowAt = (table: ExtentTable, index: number): Row => ({
  diskOffset: table.diskOffset[index] ?? 0,
  diskBytes: table.diskBytes[index] ?? 0,
  storedOffset: table.storedOffset[index] ?? 0,
  storedBytes: table.storedBytes[index] ?? 0,
  kind: table.kind[index] ?? 0,
})
