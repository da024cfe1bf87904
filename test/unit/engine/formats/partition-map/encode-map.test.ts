import { describe, expect, it } from 'vitest'
import { encodeNewMap, readPartitionMap, smallestMapBytes } from '#engine/formats/partition-map'
import { memoryDisk } from '#test/memory-source'

const mib = 1024 ** 2
const partition = { guid: '0fc63daf-8483-4772-8e79-3d69d8477de4', type: 0x83, name: 'Lessons' }

function diskWith(kind: 'gpt' | 'mbr', sizeBytes: number) {
  const disk = new Uint8Array(sizeBytes)
  const map = encodeNewMap(kind, sizeBytes, partition)
  for (const { offset, bytes } of map.writes) disk.set(bytes, offset)
  return { disk, map }
}

describe('a new partition map', () => {
  it.each(['gpt', 'mbr'] as const)('%s is read back as it was meant', async (kind) => {
    for (const sizeBytes of [smallestMapBytes[kind], 8 * mib, 8 * mib + 512]) {
      const { disk, map } = diskWith(kind, sizeBytes)
      const found = await readPartitionMap(memoryDisk(disk), sizeBytes)
      expect(found.kind).toBe(kind)
      expect(found.partitions).toMatchObject([
        { index: 1, ...map.partition, name: kind === 'gpt' ? 'Lessons' : null },
      ])
      expect([map.partition.offset, map.partition.sizeBytes % mib]).toEqual([mib, 0])
      expect(map.partition.sizeBytes).toBeGreaterThan(0)
    }
  })

  it('is found by its copy at the end when its beginning is lost', async () => {
    const { disk, map } = diskWith('gpt', 8 * mib)
    disk.fill(0, 512, 4096)
    const found = await readPartitionMap(memoryDisk(disk), disk.length)
    expect(found.partitions).toMatchObject([map.partition])
  })

  it('has other identifiers each time', () => {
    expect(Buffer.compare(diskWith('gpt', 8 * mib).disk, diskWith('gpt', 8 * mib).disk)).not.toBe(0)
  })
})
