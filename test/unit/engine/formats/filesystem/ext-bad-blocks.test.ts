import { describe, expect, it } from 'vitest'
import { UsedRanges } from '#engine/formats/filesystem'
import { readExtBadBlocks } from '#src/main/engine/formats/filesystem/ext-bad-blocks.ts'

const blockBytes = 1024
const blocks = 100_000
const place = {
  tableAt: 5 * blockBytes,
  inodeBytes: 128,
  blockBytes,
  firstBlock: 1,
  blocks,
  seed: null,
  ownBlocks: () => [[1, 9] as const, [90_000, 90_010] as const],
}

/** An inode with these pointers, and blocks of numbers by their own. */
async function look(
  pointers: readonly number[],
  {
    holders = {},
    count = 0,
    used = [0, blocks] as readonly [number, number],
  }: {
    readonly holders?: { readonly [block: number]: readonly number[] }
    readonly count?: number
    readonly used?: readonly [from: number, to: number]
  } = {},
) {
  const disk = new Map<number, Buffer>()
  const inode = Buffer.alloc(blockBytes)
  inode.writeUInt32LE((count * blockBytes) / 512, 28)
  pointers.forEach((number, index) => inode.writeUInt32LE(number, 40 + index * 4))
  disk.set(place.tableAt, inode)
  for (const [block, numbers] of Object.entries(holders)) {
    const bytes = Buffer.alloc(blockBytes)
    numbers.forEach((number, index) => bytes.writeUInt32LE(number, index * 4))
    disk.set(Number(block) * blockBytes, bytes)
  }
  let reads = 0
  const volume = {
    sizeBytes: blocks * blockBytes,
    async read(offset: number, lengthBytes: number) {
      reads += 1
      return Buffer.from(disk.get(offset)?.subarray(0, lengthBytes) ?? Buffer.alloc(lengthBytes))
    },
  }
  const ranges = new UsedRanges()
  ranges.add(used[0] * blockBytes, used[1] * blockBytes)
  const bad = await readExtBadBlocks(volume, place, ranges).then(
    (stretches) => [...stretches].map((each) => each.map((at) => at / blockBytes)),
    (error: unknown) => String(error),
  )
  return { bad, reads }
}

const twelve = Array.from({ length: 12 }, (_, index) => 100 + index * 2)

describe('bad blocks of ext', () => {
  it('are none where none are listed', async () => {
    expect((await look([])).bad).toEqual([])
  })

  it('are those of the inode, in any order', async () => {
    expect((await look([300, 200, 0, 201], { count: 3 })).bad).toEqual([
      [200, 202],
      [300, 301],
    ])
  })

  it.each([
    ['does not count what holds the list', 14],
    ['does', 17],
  ])('are those of blocks of numbers, too, where the inode %s', async (_, count) => {
    const { bad } = await look([...twelve, 50, 60], {
      holders: { 50: [400], 60: [61], 61: [500] },
      count,
    })
    expect(bad).toHaveLength(14)
    expect(bad).toContainEqual([500, 501])
  })

  it.each([
    ['outside', [blocks], 1, 'a bad block outside'],
    ['far outside', [0, 0xffff_ffff], 1, 'a bad block outside'],
    ['more than it says', [10, 11], 1, 'number of bad blocks'],
    ['fewer than it says', [10, 11], 3, 'number of bad blocks'],
  ])('are not believed when there are some %s', async (_, pointers, count, problem) => {
    expect((await look(pointers, { count })).bad).toContain(problem)
  })

  it('are not believed when nobody uses them', async () => {
    expect((await look([10], { count: 1, used: [20, 30] })).bad).toContain('a bad block that is free')
  })

  it('are none when one of them holds a record of the file system', async () => {
    for (const own of [1, 8, 90_000, 90_009])
      expect((await look([9, 50, own, 60], { count: 4 })).bad).toEqual([])
    expect((await look([9, 89_999, 90_010], { count: 3 })).bad).toHaveLength(3)
    // The block that holds the rest of the list.
    expect((await look([...twelve, 50], { holders: { 50: [400, 50] }, count: 14 })).bad).toEqual([])
  })

  it('are not gone through when the list leads to itself', async () => {
    const holder = Array.from({ length: 256 }, () => 50)
    const { bad, reads } = await look([...twelve, 0, 0, 50], { holders: { 50: holder }, count: 1000 })
    expect(bad).toContain('number of bad blocks')
    expect(reads).toBeLessThan(100)
  })
})
