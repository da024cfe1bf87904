import { describe, expect, it } from 'vitest'
import { encodeNewMap } from '#engine/formats/partition-map'
import type { ReadDisk } from '#engine/formats/struct'
import { DeviceError } from '#shared/errors'
import { silentLogger } from '#shared/log'
import { planReading } from '#src/main/engine/create/plan-reading.ts'
import { buildFat16, buildMbrDisk } from '#test/build-fat'
import { raid090, raid1 } from '#test/linux-raid'
import { memoryDisk } from '#test/memory-source'

const mib = 1024 ** 2
const partition = { guid: '0fc63daf-8483-4772-8e79-3d69d8477de4', type: 0x83, name: '' }

function mbr(entries: readonly (readonly [firstMib: number, countMib: number])[]): Buffer {
  const disk = Buffer.alloc(8 * mib)
  entries.forEach(([first, count], index) => {
    disk.writeUInt8(0x83, 446 + index * 16 + 4)
    disk.writeUInt32LE(first * 2048, 446 + index * 16 + 8)
    disk.writeUInt32LE(count * 2048, 446 + index * 16 + 12)
  })
  disk.writeUInt16LE(0xaa55, 510)
  return disk
}

/** With a FAT in the partition, of which little is used. */
function fatDisk(type = 0x06, firstSector = 2048): Buffer {
  const { volume } = buildFat16({ sectors: 10 * 2048, label: 'LESSONS', files: [] })
  return buildMbrDisk({ sectors: 16 * 2048, firstSector, type, volume })
}

/** As fdisk once divided disks, with a bad cluster of 2 KiB between two that are used. */
function diskWithBadCluster(cluster = 100) {
  const start = 63 * 512
  const bytes = fatDisk(0x06, 63)
  const tableBytes = bytes.readUInt16LE(start + 22) * 512
  for (const table of [start + 4 * 512, start + 4 * 512 + tableBytes])
    bytes.set(Buffer.from('fffff7ffffff', 'hex'), table + (cluster - 1) * 2)
  const badFrom = start + 4 * 512 + 2 * tableBytes + 512 * 32 + (cluster - 2) * 2048
  return { bytes, badFrom, badTo: badFrom + 2048 }
}

/** Bytes that can't be read from `from` on, as a disk says it, and how often it had to say so. */
function worn(disk: Uint8Array, from: number, { to = from + 512, errno = 'EIO' } = {}) {
  const seen = { failures: 0 }
  const readDisk: ReadDisk = async (offset, lengthBytes) => {
    if (offset >= to || offset + lengthBytes <= from) return await memoryDisk(disk)(offset, lengthBytes)
    seen.failures += 1
    throw new DeviceError('E_IO_READ', 'read /dev/sdz', { details: { path: '/dev/sdz', offset, errno } })
  }
  return { readDisk, seen }
}

/** A FAT32 of which every second cluster of 512 bytes is used: more gaps than are kept apart. One of them is bad. */
function fullOfGaps() {
  const clusters = 1_100_001
  const tableBytes = Math.ceil(((clusters + 2) * 4) / 512) * 512
  const dataAt = 32 * 512 + tableBytes
  const bad = 1_099_997
  const head = Buffer.alloc(dataAt)
  head.set(Buffer.from('eb5890', 'hex'))
  head.write('MSWIN4.1', 3, 'latin1')
  head.writeUInt16LE(512, 11)
  head.writeUInt8(1, 13)
  head.writeUInt16LE(32, 14)
  head.writeUInt8(1, 16)
  head.writeUInt8(0xf8, 21)
  head.writeUInt32LE(dataAt / 512 + clusters, 32)
  head.writeUInt32LE(tableBytes / 512, 36)
  head.writeUInt32LE(2, 44)
  head.writeUInt8(0x29, 66)
  head.write('FAT32   ', 82, 'latin1')
  head.writeUInt16LE(0xaa55, 510)
  const table = head.subarray(32 * 512)
  for (let cluster = 0; cluster < clusters + 2; cluster += 2) table.writeUInt32LE(0x0fff_ffff, cluster * 4)
  table.writeUInt32LE(0x0fff_ffff, 4)
  table.writeUInt32LE(0x0fff_fff7, bad * 4)
  const readDisk: ReadDisk = async (offset, lengthBytes) => {
    const bytes = Buffer.alloc(lengthBytes)
    if (offset < dataAt) head.copy(bytes, 0, offset)
    return bytes
  }
  return { readDisk, sizeBytes: dataAt + clusters * 512, badFrom: dataAt + (bad - 2) * 512 }
}

/** With a FAT in each of two partitions, the second up to the end of the disk. */
function diskOfTwo(): Buffer {
  const disk = Buffer.concat([
    fatDisk(),
    buildFat16({ sectors: 8 * 2048, label: 'MEMBER', files: [], clusterSectors: 2 }).volume,
  ])
  disk.writeUInt8(0x06, 462 + 4)
  disk.writeUInt32LE(16 * 2048, 462 + 8)
  disk.writeUInt32LE(8 * 2048, 462 + 12)
  return disk
}

const neverAborted = new AbortController().signal
const plan = (disk: Uint8Array, readDisk = memoryDisk(disk), signal = neverAborted, sectorBytes = 512) =>
  planReading(readDisk, { sizeBytes: disk.length, sectorBytes }, { log: silentLogger, signal })

describe('what is read of a disk with bad sectors', () => {
  const end = 11 * mib

  it.each([
    ['behind the tables', mib + 50 * 1024],
    ['where ZFS has its marks', mib + 130 * 1024],
    ['where UFS has its mark', mib + 257 * 1024],
    ['where LUKS has its second header', 3 * mib],
    ['where VMFS has its marks', 2 * mib],
    ['where RAID 0.90 has its mark', end - 64 * 1024],
    ['where RAID 1.0 has its mark', end - 8 * 1024],
    ['where Intel has its mark', end - 512],
  ])('is what the file system uses, when none of it is bad: %s', async (_, from) => {
    const disk = fatDisk()
    for (const errno of ['EIO', 'ENODATA']) {
      const { readDisk, seen } = worn(disk, from, { errno })
      const { ranges, parts } = await plan(disk, readDisk)
      expect(parts).toMatchObject([{ index: 1, filesystem: 'vfat', whole: null }])
      expect(ranges.usedBytes).toBeLessThan(8 * mib)
      expect([...ranges].filter(([a, b]) => a < from + 512 && b > from)).toEqual([])
      expect(seen.failures).toBeGreaterThan(0)
      expect(seen.failures).toBeLessThan(8)
    }
  })

  it('is told apart from a disk without any', async () => {
    const disk = fatDisk()
    expect((await plan(disk)).unread).toEqual({ failedReads: 0, badBytes: 0 })
    const { readDisk, seen } = worn(disk, end - 512)
    expect((await plan(disk, readDisk)).unread).toEqual({ failedReads: seen.failures, badBytes: 0 })
    const { bytes } = diskWithBadCluster()
    expect((await plan(bytes)).unread).toEqual({ failedReads: 0, badBytes: 2048 })
  })

  it('is what the file system uses on a disk without a map, too', async () => {
    const { volume } = buildFat16({ sectors: 10 * 2048, label: 'LESSONS', files: [] })
    const { readDisk } = worn(volume, 48 * 1024, { to: 64 * 1024 })
    expect((await plan(volume, readDisk)).parts).toMatchObject([{ filesystem: 'vfat', whole: null }])
  })

  it('is all of it with the mark of another owner beside one', async () => {
    const disk = fatDisk()
    disk.set(Buffer.from('ReIsEr4'), mib + 64 * 1024)
    const { readDisk } = worn(disk, mib + 70 * 1024)
    expect((await plan(disk, readDisk)).parts).toMatchObject([{ whole: 'unknown' }])
  })

  it('is nothing where a record of the file system lies in one', async () => {
    const disk = fatDisk()
    const { readDisk } = worn(disk, mib + 8 * 1024)
    await expect(plan(disk, readDisk)).rejects.toMatchObject({ code: 'E_IO_READ', family: 'device' })
  })

  it('is given up soon where there are many', async () => {
    const disk = fatDisk()
    const { readDisk, seen } = worn(disk, mib + 64 * 1024, { to: end })
    await expect(plan(disk, readDisk)).rejects.toMatchObject({ code: 'E_IO_READ' })
    expect(seen.failures).toBeLessThan(30)
  })

  it('is nothing when the disk does not answer, or is gone', async () => {
    const disk = fatDisk()
    const { readDisk, seen } = worn(disk, 3 * mib, { errno: 'ETIMEDOUT' })
    await expect(plan(disk, readDisk)).rejects.toMatchObject({ code: 'E_IO_READ' })
    expect(seen.failures).toBe(1)
    let reads = 0
    const pulledOut: ReadDisk = async (offset, lengthBytes) => {
      reads += 1
      if (reads > 20) throw new DeviceError('E_SRC_GONE', 'gone', { details: { path: '/dev/sdz' } })
      return await memoryDisk(disk)(offset, lengthBytes)
    }
    await expect(plan(disk, pulledOut)).rejects.toMatchObject({ code: 'E_SRC_GONE' })
    expect(reads).toBe(21)
  })
})

describe('what is read of a disk', () => {
  it('is all of it where nothing is known', async () => {
    const { ranges, parts } = await plan(new Uint8Array(2 * mib))
    expect([...ranges]).toEqual([[0, 2 * mib]])
    expect(parts).toMatchObject([{ index: 0, whole: 'unknown', usedBytes: 2 * mib }])
  })

  it('is all of it, too, with a map around unknown contents', async () => {
    const disk = new Uint8Array(8 * mib)
    for (const { offset, bytes } of encodeNewMap('gpt', disk.length, partition).writes)
      disk.set(bytes, offset)
    const { ranges, parts } = await plan(disk)
    expect([...ranges]).toEqual([[0, 8 * mib]])
    expect(parts).toMatchObject([{ index: 1, whole: 'unknown' }])
  })

  it('is all of partitions that overlap, or that the disk cuts off', async () => {
    const overlapping = await plan(
      mbr([
        [1, 4],
        [3, 2],
        [6, 1],
      ]),
    )
    expect(overlapping.parts.map(({ whole }) => whole)).toEqual(['inconsistent', 'inconsistent', 'unknown'])
    expect([...overlapping.ranges]).toEqual([[0, 8 * mib]])
    const cut = await plan(mbr([[6, 9]]))
    expect(cut.parts).toMatchObject([{ sizeBytes: 2 * mib, whole: 'inconsistent' }])
  })

  it('is what the file system uses, where nothing speaks against it', async () => {
    const { ranges, parts, edges } = await plan(fatDisk())
    expect(parts).toMatchObject([{ index: 1, filesystem: 'vfat', whole: null }])
    expect(ranges.usedBytes).toBeLessThan(8 * mib)
    expect(edges).toEqual([
      [mib, 5 * mib + 4096],
      [10 * mib, 11 * mib],
    ])
  })

  it('is all of partitions whose map counts in other sectors than those of the disk', async () => {
    const disk = fatDisk()
    const device = { sizeBytes: disk.length, sectorBytes: 4096, blockBytes: 4096 }
    const context = { log: silentLogger, signal: neverAborted }
    const { contents, ranges, parts } = await planReading(memoryDisk(disk), device, context)
    expect(parts).toMatchObject([{ index: 1, offset: mib, filesystem: 'vfat', whole: 'inconsistent' }])
    expect([...ranges]).toEqual([[0, disk.length]])
    expect(contents.least).toMatchObject({ sizeBytes: 11 * mib })
  })

  it.each([
    ['of Linux RAID 1.2 behind an old MBR', 4096, raid1(8)],
    ['of Linux RAID 0.90 at the end', 16 * mib - 65_536, raid090((16 * mib - 65_536) / 1024)],
    ['of Linux RAID 0.90 at the end, which says no size', 16 * mib - 65_536, raid090(0)],
    ['of LVM in the second sector', 512, Buffer.from('LABELONE')],
  ])('is all of the disk with the mark %s', async (_, offset, mark) => {
    const disk = fatDisk()
    disk.set(mark, offset)
    const { ranges, parts } = await plan(disk)
    expect([...ranges]).toEqual([[0, disk.length]])
    expect(parts).toMatchObject([{ index: 0, whole: 'unknown', usedBytes: disk.length }])
  })

  it.each([
    ['1.0', 8 * mib - 8192, raid1((8 * mib - 8192) / 512)],
    ['0.90', 8 * mib - 65_536, raid090((8 * mib - 65_536) / 1024)],
    ['0.90, from another byte order,', 8 * mib - 65_536, raid090((8 * mib - 65_536) / 1024, 'big')],
  ])(
    'is what the file system in front uses, where the last partition is a member of a RAID %s',
    async (_, offset, mark) => {
      const disk = diskOfTwo()
      disk.set(mark, 16 * mib + offset)
      const { parts } = await plan(disk)
      expect(parts).toMatchObject([
        { index: 1, filesystem: 'vfat', whole: null },
        { index: 2, filesystem: 'vfat', whole: 'unknown' },
      ])
    },
  )

  it('is all of the disk where a RAID 0.90 uses more than its last partition', async () => {
    const disk = diskOfTwo()
    disk.set(raid090((24 * mib - 65_536) / 1024), 24 * mib - 65_536)
    expect((await plan(disk)).parts).toMatchObject([{ index: 0, whole: 'unknown' }])
  })

  it.each([
    ['of a dynamic disk', 0x42],
    ['of VMFS', 0xfb],
    ['of FreeBSD', 0xa5],
    ['of a Linux RAID', 0xfd],
  ])('is all of a partition %s, whatever file system seems to be there', async (_, type) => {
    const { ranges, parts } = await plan(fatDisk(type))
    expect([...ranges]).toEqual([[0, 16 * mib]])
    expect(parts).toMatchObject([{ index: 1, filesystem: 'vfat', whole: 'unknown' }])
  })

  it('is nothing of clusters that are bad, also in a partition that is not aligned', async () => {
    const { bytes, badFrom, badTo } = diskWithBadCluster()
    const { ranges } = await plan(bytes)
    expect(ranges.covers(badFrom - 2048, badFrom)).toBe(true)
    expect(ranges.covers(badTo, badTo + 2048)).toBe(true)
    expect([...ranges].filter(([from, to]) => from < badTo && to > badFrom)).toEqual([])
  })

  it.each([
    ['sectors of the device beside bad clusters', diskWithBadCluster().bytes, 2048, 2048],
    ['units of 4096 where nothing is bad', fatDisk(0x06, 63), 512, 4096],
  ])('is whole %s', async (_, bytes, sectorBytes, unitBytes) => {
    const { ranges } = await plan(bytes, undefined, undefined, sectorBytes)
    for (const [from, to] of ranges) expect([from % unitBytes, to % unitBytes]).toEqual([0, 0])
  })

  it('is nothing of clusters that are bad where there are more gaps than are kept apart', async () => {
    const { readDisk, sizeBytes, badFrom } = fullOfGaps()
    const device = { sizeBytes, sectorBytes: 512 }
    const { ranges, parts } = await planReading(readDisk, device, { log: silentLogger, signal: neverAborted })
    expect(parts).toMatchObject([{ filesystem: 'vfat', whole: null, usedBytes: sizeBytes - 512 }])
    expect([...ranges]).toEqual([
      [0, badFrom],
      [badFrom + 512, sizeBytes],
    ])
  })

  it('is no longer looked for once it is cancelled', async () => {
    const disk = mbr([
      [1, 2],
      [4, 2],
    ])
    const reads = async (most: number) => {
      const abort = new AbortController()
      let count = 0
      const readDisk: ReadDisk = async (offset, lengthBytes) => {
        count += 1
        if (count === most) abort.abort(new Error('enough'))
        return await memoryDisk(disk)(offset, lengthBytes)
      }
      const outcome = await plan(disk, readDisk, abort.signal).catch((error: unknown) => String(error))
      return { count, outcome }
    }
    const all = (await reads(Infinity)).count
    expect(all).toBeGreaterThan(5)
    for (let most = 1; most < all; most++)
      expect(await reads(most)).toEqual({ count: most, outcome: 'Error: enough' })
  })
})
