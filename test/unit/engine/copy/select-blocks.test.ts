import { describe, expect, it } from 'vitest'
import { allocateExtentTable, kindIndex, type ExtentLayout } from '#engine/formats/extents'
import { runKinds, type RunKind } from '#shared/model'
import { selectBlocks } from '#src/main/engine/copy/select-blocks.ts'

const blockBytes = 1000

/** Rows of [kind, bytes on the disk, bytes stored]; what is stored follows one another. */
function layoutOf(rows: readonly (readonly [RunKind, number, number])[]): ExtentLayout {
  const extents = allocateExtentTable(rows.length)
  let disk = 0
  let stored = 0
  for (const [row, [kind, diskBytes, storedBytes]] of rows.entries()) {
    extents.diskOffset[row] = disk
    extents.diskBytes[row] = diskBytes
    extents.storedOffset[row] = storedBytes === 0 ? 0 : stored
    extents.storedBytes[row] = storedBytes
    extents.kind[row] = kindIndex[kind]
    disk += diskBytes
    stored += storedBytes
  }
  const check = { name: 'all', diskOffset: 0, diskBytes: disk, crc32: 1 }
  return { kind: 'extents', sizeBytes: disk, parts: [], extents, checks: [check], storedChecks: [] }
}

function rowsOf({ extents }: ExtentLayout): readonly string[] {
  return Array.from({ length: extents.count }, (_, row) => {
    const stored = extents.storedBytes[row] ?? 0
    const place = stored === 0 ? '' : ` from ${extents.storedOffset[row]}+${stored}`
    return `${runKinds[extents.kind[row] ?? 0]} ${extents.diskOffset[row]}+${extents.diskBytes[row]}${place}`
  })
}

const select = (
  rows: Parameters<typeof layoutOf>[0],
  blocks: readonly number[],
  unused: 'unused' | 'zeros' = 'unused',
) =>
  rowsOf(selectBlocks(layoutOf(rows), { blockBytes, unused, isSelected: (index) => blocks.includes(index) }))

describe('selecting blocks of a layout', () => {
  it('clips raw runs to the selected blocks', () => {
    expect(select([['raw', 5000, 5000]], [1, 3])).toEqual([
      'ignore 0+1000',
      'raw 1000+1000 from 1000+1000',
      'ignore 2000+1000',
      'raw 3000+1000 from 3000+1000',
      'ignore 4000+1000',
    ])
  })

  it('keeps neighbouring blocks in one row', () => {
    expect(select([['raw', 5000, 5000]], [1, 2, 3])).toEqual([
      'ignore 0+1000',
      'raw 1000+3000 from 1000+3000',
      'ignore 4000+1000',
    ])
  })

  it('keeps a compressed run whole that touches a selected block, at its end or its beginning', () => {
    const rows = [
      ['zlib', 1500, 700],
      ['zlib', 1500, 800],
      ['zlib', 1000, 900],
    ] as const
    expect(select(rows, [1])).toEqual([
      'zlib 0+1500 from 0+700',
      'zlib 1500+1500 from 700+800',
      'ignore 3000+1000',
    ])
    expect(select(rows, [2])).toEqual(['ignore 0+1500', 'zlib 1500+1500 from 700+800', 'ignore 3000+1000'])
  })

  it('leaves zeros only in selected blocks, and unused space unused or as zeros', () => {
    const rows = [
      ['zero', 2000, 0],
      ['ignore', 1500, 0],
      ['raw', 500, 500],
    ] as const
    expect(select(rows, [1, 2, 3])).toEqual([
      'ignore 0+1000',
      'zero 1000+1000',
      'ignore 2000+1500',
      'raw 3500+500 from 0+500',
    ])
    expect(select(rows, [2, 3], 'zeros')).toEqual([
      'ignore 0+2000',
      'zero 2000+1500',
      'raw 3500+500 from 0+500',
    ])
  })

  it('knows that the last raw run may store less than it covers', () => {
    expect(select([['raw', 2512, 2300]], [2])).toEqual(['ignore 0+2000', 'raw 2000+512 from 2000+300'])
    expect(select([['raw', 2512, 1700]], [2])).toEqual(['ignore 0+2000', 'raw 2000+512'])
  })

  it('has no checksums any more, which are of everything', () => {
    const selected = selectBlocks(layoutOf([['raw', 1000, 1000]]), {
      blockBytes,
      unused: 'unused',
      isSelected: () => true,
    })
    expect(selected).toMatchObject({ sizeBytes: 1000, checks: [] })
  })

  it('is nothing but unused space where nothing is selected', () => {
    expect(select([['raw', 5000, 5000]], [])).toEqual(['ignore 0+5000'])
  })
})
