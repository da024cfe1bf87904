import { describe, expect, it } from 'vitest'
import { allocateExtentTable, kindIndex, type ExtentLayout } from '#engine/formats/extents'
import type { RunKind } from '#shared/model'
import { planBatches } from '#src/main/engine/copy/plan-batches.ts'
import { StreamRuns } from '#src/main/engine/copy/stream-runs.ts'

/** kind, disk bytes, stored offset, stored bytes */
type Row = readonly [RunKind, number, number, number]

function layoutOf(rows: readonly Row[], fileOffset = 0): ExtentLayout {
  const extents = allocateExtentTable(rows.length)
  let diskOffset = 0
  rows.forEach(([kind, diskBytes, storedOffset, storedBytes], row) => {
    extents.kind[row] = kindIndex[kind]
    extents.diskOffset[row] = diskOffset
    extents.diskBytes[row] = diskBytes
    extents.storedOffset[row] = storedOffset
    extents.storedBytes[row] = storedBytes
    diskOffset += diskBytes
  })
  return {
    kind: 'extents',
    sizeBytes: diskOffset,
    parts: [{ path: '/a', streamOffset: 0, fileOffset, lengthBytes: 1e12 }],
    extents,
    checks: [],
    storedChecks: [],
  }
}

const runsOf = (rows: readonly Row[], sizeBytes = 4000, fileOffset = 0) =>
  new StreamRuns(layoutOf(rows, fileOffset), { sizeBytes, blockBytes: 1000 }, '/a')

describe('the map of a stream', () => {
  it('tells which runs lie in a block, behind the start of the data too', () => {
    const runs = runsOf(
      [
        ['zlib', 512, 0, 300],
        ['zero', 512, 0, 0],
        ['zlib', 512, 300, 900],
        ['zlib', 512, 1200, 100],
      ],
      4000,
      500,
    )
    expect(runs.within(0)).toEqual([0, 2])
    expect(runs.within(1)).toEqual([1, 3])
    expect(runs.within(2)).toEqual([3, 3])
    expect([0, 1, 2].map((index) => runs.isSpanning(index))).toEqual([false, true, false])
    expect(runs.span(1)).toEqual([0, 1])
  })

  it('knows runs that are stored in another order than the disk has', () => {
    const runs = runsOf([
      ['zlib', 512, 2000, 300],
      ['zlib', 1024, 0, 300],
    ])
    expect(runs.run(0)).toMatchObject({ at: 0, diskOffset: 512 })
    expect(runs.within(2)).toEqual([1, 2])
  })

  it('cuts raw runs at blocks, with the zeros behind the end of a short one', () => {
    const runs = runsOf([['raw', 2560, 500, 2100]])
    expect(runs.isSpanning(0)).toBe(false)
    expect(runs.rawPart(0, 0)).toMatchObject({ at: 500, storedBytes: 500, diskOffset: 0, diskBytes: 500 })
    expect(runs.rawPart(0, 1)).toMatchObject({
      at: 1000,
      storedBytes: 1000,
      diskOffset: 500,
      diskBytes: 1000,
    })
    expect(runs.rawPart(0, 2)).toMatchObject({
      at: 2000,
      storedBytes: 600,
      diskOffset: 1500,
      diskBytes: 1060,
    })
  })

  it('says which blocks hold something of the head of the disk', () => {
    const runs = runsOf([
      ['zlib', 512, 0, 1500],
      ['raw', 2048, 1500, 2048],
    ])
    expect([...runs.blocksOfHead(1024)]).toEqual([1, 1, 1, 0])
    expect([...runs.blocksOfHead(512)]).toEqual([1, 1, 0, 0])
  })

  it.each<{ what: string; rows: readonly Row[] }>([
    { what: 'outside the stream', rows: [['zlib', 512, 3900, 200]] },
    {
      what: 'over one another',
      rows: [
        ['zlib', 512, 0, 200],
        ['zlib', 512, 199, 200],
      ],
    },
    { what: 'without stored bytes', rows: [['zlib', 512, 10, 0]] },
    { what: 'larger than any memory for it', rows: [['zlib', 128 * 1024 * 1024, 10, 20]] },
  ])('refuses a run $what', ({ rows }) => {
    expect(() => runsOf(rows)).toThrow(expect.objectContaining({ code: 'E_SRC_CORRUPT' }))
  })
})

describe('batches', () => {
  const piece = (at: number, diskOffset: number, storedBytes = 10, diskBytes = 512) => ({
    kind: kindIndex.zlib,
    at,
    storedBytes,
    diskOffset,
    diskBytes,
  })
  const sizes = { storedBytes: 100, outBytes: 2048 }

  it('join what lies together on the disk', () => {
    const batches = planBatches([piece(0, 0), piece(10, 512), piece(30, 1024), piece(40, 4096)], sizes)
    expect(
      batches.map(({ diskOffset, diskBytes, at, storedBytes }) => [diskOffset, diskBytes, at, storedBytes]),
    ).toEqual([
      [0, 1536, 0, 40],
      [4096, 512, 40, 10],
    ])
  })

  it('are never larger than a room, on either side', () => {
    const many = Array.from({ length: 9 }, (_, index) => piece(index * 10, index * 512))
    expect(planBatches(many, sizes).map(({ diskBytes }) => diskBytes)).toEqual([2048, 2048, 512])
    const wide = Array.from({ length: 4 }, (_, index) => piece(index * 60, index * 512, 60))
    expect(planBatches(wide, sizes).map(({ storedBytes }) => storedBytes)).toEqual([60, 60, 60, 60])
  })

  it('begin anew where the stream goes back', () => {
    expect(planBatches([piece(50, 0), piece(0, 512)], sizes)).toHaveLength(2)
  })
})
