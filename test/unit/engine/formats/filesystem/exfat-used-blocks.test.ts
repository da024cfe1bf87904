import { describe, expect, it } from 'vitest'
import { readExfatUsedBlocks } from '#src/main/engine/formats/filesystem/exfat-used-blocks.ts'

const sectorBytes = 512
const tableAt = 24 * sectorBytes
const heapAt = 64 * sectorBytes
const clusters = 300
const rootCluster = 2
const bitmapCluster = 290

/** An exFAT of 300 clusters, whose root folder is all of the first 200 and begins with `root`, then goes on as `rest`. */
function volumeOf({
  clusterShift = 0,
  root = Buffer.alloc(0),
  rest = 0,
}: {
  readonly clusterShift?: number
  readonly root?: Buffer
  readonly rest?: number
}) {
  const clusterBytes = sectorBytes * 2 ** clusterShift
  const sizeBytes = heapAt + clusters * clusterBytes
  const head = Buffer.alloc(heapAt)
  head.writeBigUInt64LE(BigInt(sizeBytes / sectorBytes), 72)
  head.writeUInt32LE(tableAt / sectorBytes, 80)
  head.writeUInt32LE(heapAt / sectorBytes, 88)
  head.writeUInt32LE(clusters, 92)
  head.writeUInt32LE(rootCluster, 96)
  head.writeUInt8(1, 105)
  head.set([9, clusterShift, 1], 108)
  let sum = 0
  for (const [index, byte] of head.subarray(0, 11 * sectorBytes).entries())
    if (![106, 107, 112].includes(index)) sum = ((((sum & 1) << 31) | (sum >>> 1)) + byte) >>> 0
  for (let at = 0; at < sectorBytes; at += 4) head.writeUInt32LE(sum, 11 * sectorBytes + at)
  for (let cluster = 2; cluster < clusters + 2; cluster++)
    head.writeUInt32LE(cluster >= 201 ? 0xffff_ffff : cluster + 1, tableAt + cluster * 4)
  const bitmapAt = heapAt + (bitmapCluster - 2) * clusterBytes
  const volume = {
    sizeBytes,
    reads: 0,
    async read(offset: number, lengthBytes: number) {
      volume.reads += 1
      if (volume.reads > 100_000) throw new Error('read without end')
      if (offset < heapAt) return Buffer.from(head.subarray(offset, offset + lengthBytes))
      if (offset >= bitmapAt) return Buffer.alloc(lengthBytes, 0xff)
      const bytes = Buffer.alloc(lengthBytes, rest)
      if (offset - heapAt < root.length) root.copy(bytes, 0, offset - heapAt)
      return bytes
    },
  }
  return volume
}

const bitmapEntry = Buffer.alloc(32)
bitmapEntry.writeUInt8(0x81, 0)
bitmapEntry.writeUInt32LE(bitmapCluster, 20)
bitmapEntry.writeBigUInt64LE(BigInt(Math.ceil(clusters / 8)), 24)
const other = Buffer.alloc(32, 0xc0)

describe('used blocks of exFAT', () => {
  it('are found wherever in the root folder their bitmap is named', async () => {
    for (const count of [0, 1, 20, 100]) {
      const root = Buffer.concat([...Array.from({ length: count }, () => other), bitmapEntry])
      const volume = volumeOf({ root })
      const { ranges } = await readExfatUsedBlocks(volume)
      expect(ranges.usedBytes).toBe(volume.sizeBytes)
    }
  })

  it('are not looked for behind the end of the root folder', async () => {
    const root = Buffer.concat([other, Buffer.alloc(512 - 32), bitmapEntry])
    await expect(readExfatUsedBlocks(volumeOf({ root }))).rejects.toThrow('no allocation bitmap')
  })

  it('are not looked for without end in a folder of the largest clusters', async () => {
    const volume = volumeOf({ clusterShift: 16, rest: 0xc0 })
    await expect(readExfatUsedBlocks(volume)).rejects.toThrow('no allocation bitmap')
  })
})
