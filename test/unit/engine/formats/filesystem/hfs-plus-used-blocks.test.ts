import { describe, expect, it } from 'vitest'
import { readUsedBlocks } from '#engine/formats/filesystem'
import { memoryDisk } from '#test/memory-source'

const blockBytes = 4096
const blocks = 256

/**
 * An HFS+ of a MiB: allocation file in block 1, extents overflow file in blocks 2 to 4. Blocks up to 15 and from 100 to 149 are in
 * use; `records` are those of the extents overflow file: a file and its first extent; `leaves`: how many it has, in a ring
 * if they are more than one.
 */
function volume({
  records = [] as readonly (readonly [file: number, start: number, count: number])[],
  attributes = 0x300,
  firstLeaf = 1,
  next = 0,
} = {}) {
  const bytes = Buffer.alloc(blocks * blockBytes)
  const header = bytes.subarray(1024)
  header.write('H+', 'latin1')
  header.writeUInt16BE(4, 2)
  header.writeUInt32BE(attributes, 4)
  header.writeUInt32BE(blockBytes, 40)
  header.writeUInt32BE(blocks, 44)
  header.writeBigUInt64BE(BigInt(blocks / 8), 112)
  header.writeUInt32BE(1, 128)
  header.writeUInt32BE(1, 132)
  header.writeUInt32BE(2, 208)
  header.writeUInt32BE(3, 212)
  let free = blocks
  for (let block = 0; block < blocks; block++) {
    const isUsed = block < 16 || (block >= 100 && block < 150) || block === blocks - 1
    if (!isUsed) continue
    free -= 1
    const at = blockBytes + (block >>> 3)
    bytes.writeUInt8(bytes.readUInt8(at) | (0x80 >>> (block & 7)), at)
  }
  header.writeUInt32BE(free, 48)
  const tree = bytes.subarray(2 * blockBytes)
  tree.writeInt8(1, 8)
  tree.writeUInt32BE(firstLeaf, 24)
  tree.writeUInt16BE(blockBytes, 32)
  const leaf = bytes.subarray(3 * blockBytes, 4 * blockBytes)
  leaf.writeUInt32BE(next, 0)
  leaf.writeInt8(-1, 8)
  leaf.writeUInt16BE(records.length, 10)
  records.forEach(([file, start, count], index) => {
    const at = 14 + index * 76
    leaf.writeUInt16BE(at, blockBytes - 2 * (index + 1))
    leaf.writeUInt16BE(10, at)
    leaf.writeUInt32BE(file, at + 4)
    leaf.writeUInt32BE(start, at + 12)
    leaf.writeUInt32BE(count, at + 16)
  })
  return bytes
}

async function look(bytes: Buffer) {
  const found = await readUsedBlocks(memoryDisk(bytes), { offset: 0, sizeBytes: bytes.length })
  return found.kind === 'whole'
    ? found.problem
    : [...found.ranges].map(([from, to]) => [from / blockBytes, to / blockBytes])
}

describe('used blocks of HFS+', () => {
  it('are those of its bitmap', async () => {
    expect(await look(volume())).toEqual([
      [0, 16],
      [100, 150],
      [255, 256],
    ])
  })

  it('are without those of the file of bad blocks', async () => {
    const records = [
      [4, 10, 2],
      [5, 120, 3],
      [5, 110, 1],
      [16, 130, 5],
    ] as const
    expect(await look(volume({ records }))).toEqual([
      [0, 16],
      [100, 110],
      [111, 120],
      [123, 150],
      [255, 256],
    ])
    // It says that there are none.
    expect(await look(volume({ records, attributes: 0x100 }))).toHaveLength(3)
  })

  it('are not believed when one record is listed again and again', async () => {
    const bytes = volume({ records: [[5, 120, 1]] })
    const leaf = bytes.subarray(3 * blockBytes, 4 * blockBytes)
    leaf.writeUInt16BE(1900, 10)
    for (let index = 0; index < 1900; index++) leaf.writeUInt16BE(14, blockBytes - 2 * (index + 1))
    expect(await look(bytes)).toBe('records of bad blocks')
  })

  it('are not believed when bad blocks are free, or their list leads outside or to itself', async () => {
    expect(await look(volume({ records: [[5, 150, 1]] }))).toBe('a bad block that is free')
    expect(await look(volume({ firstLeaf: 3 }))).toBe('a node outside the extents overflow file')
    expect(await look(volume({ firstLeaf: 2 }))).toBe('a leaf of the extents overflow file')
    expect(await look(volume({ next: 1 }))).toBe('leaves of the extents overflow file')
  })

  it('are not believed when a bad block holds a record of the file system', async () => {
    const problem = 'a bad block with a record'
    // The header and its copy, the allocation file, the extents overflow file.
    for (const block of [0, blocks - 1, 1, 4])
      expect(await look(volume({ records: [[5, block, 1]] }))).toBe(problem)
    for (const fork of [272, 352, 432]) {
      const bytes = volume({ records: [[5, 120, 3]] })
      // Its last extent.
      bytes.writeUInt32BE(122, 1024 + fork + 16 + 56)
      bytes.writeUInt32BE(1, 1024 + fork + 16 + 60)
      expect(await look(bytes)).toBe(problem)
    }
    // The catalog, beyond what the header knows of it.
    const records = [
      [4, 120, 2],
      [5, 121, 3],
    ] as const
    expect(await look(volume({ records }))).toBe(problem)
  })
})
