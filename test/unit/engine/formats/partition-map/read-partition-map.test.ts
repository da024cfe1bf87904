import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readPartitionMap } from '#engine/formats/partition-map'
import { corrupt, UnreadableError, type ReadDisk } from '#engine/formats/struct'
import { apmEntryStruct, ddmStruct } from '#src/main/engine/formats/partition-map/apm.ts'
import { gptEntryStruct, gptHeaderStruct } from '#src/main/engine/formats/partition-map/gpt.ts'
import { mbrEntryStruct } from '#src/main/engine/formats/partition-map/mbr.ts'
import { buildFat16 } from '#test/build-fat'
import { memoryDisk } from '#test/memory-source'

const mapOf = (disk: Uint8Array) => readPartitionMap(memoryDisk(disk), disk.length)
const none = { kind: 'none', partitions: [], blockBytes: 512 }

interface MbrEntry {
  readonly status?: number
  readonly type: number
  readonly firstLba: number
  readonly sectorCount: number
}

function mbrSector(entries: readonly MbrEntry[]): Buffer {
  const sector = Buffer.alloc(512)
  entries.forEach((entry, index) => sector.set(mbrEntryStruct.encode(entry), 446 + index * 16))
  sector.set([0x55, 0xaa], 510)
  return sector
}

function diskWith(sectors: number, pieces: Record<number, Uint8Array>, sectorBytes = 512): Buffer {
  const disk = Buffer.alloc(sectors * sectorBytes)
  for (const [lba, bytes] of Object.entries(pieces)) disk.set(bytes, Number(lba) * sectorBytes)
  return disk
}

const protective = mbrSector([{ type: 0xee, firstLba: 1, sectorCount: 0xffffffff }])
const linux = '0FC63DAF-8483-4772-8E79-3D69D8477DE4'

interface GptSpec {
  readonly sectors?: number
  readonly sectorBytes?: number
  readonly entries?: readonly Parameters<typeof gptEntryStruct.encode>[0][]
  readonly header?: Parameters<typeof gptHeaderStruct.encode>[0]
  readonly mbr?: Uint8Array
}

/** A disk with a GPT and its backup; what `header` says is said by both. */
function gptDisk(spec: GptSpec = {}): Buffer {
  const { sectors = 256, sectorBytes = 512, mbr = protective } = spec
  const entries = spec.entries ?? [
    { partitionTypeGuid: linux, startingLba: 40, endingLba: 99, partitionName: 'one' },
  ]
  const table = Buffer.alloc(128 * 128)
  entries.forEach((entry, index) => table.set(gptEntryStruct.encode(entry), index * 128))
  const tableSectors = table.length / sectorBytes
  const header = (lba: number, partitionEntryLba: number) => {
    const bytes = Buffer.alloc(sectorBytes)
    const fields = {
      signature: 'EFI PART',
      revision: 0x10000,
      headerSize: 92,
      myLba: lba,
      partitionEntryLba,
      numberOfPartitionEntries: 128,
      sizeOfPartitionEntry: 128,
      partitionEntryArrayCrc32: crc32(table),
      ...spec.header,
    }
    bytes.set(gptHeaderStruct.encode(fields))
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 92)), 16)
    return bytes
  }
  const backupAt = sectors - 1 - tableSectors
  return diskWith(
    sectors,
    { 0: mbr, 1: header(1, 2), 2: table, [backupAt]: table, [sectors - 1]: header(sectors - 1, backupAt) },
    sectorBytes,
  )
}

describe('a disk without a partition map', () => {
  it('has none, whatever its size', async () => {
    for (const size of [0, 1, 511, 512, 513, 1024, 4096, 100_000]) {
      expect(await mapOf(new Uint8Array(size))).toEqual(none)
      expect(await mapOf(new Uint8Array(size).fill(0xff))).toEqual(none)
    }
  })

  it('may begin with a boot sector of a file system, which has the same signature', async () => {
    expect(
      await mapOf(buildFat16({ sectors: 4300, clusterSectors: 1, label: 'X', files: [] }).volume),
    ).toEqual(none)
    const code = mbrSector([])
    code.fill('boot code here', 446, 510)
    expect(await mapOf(code)).toEqual(none)
  })
})

describe('an MBR', () => {
  const first = { type: 0x83, firstLba: 8, sectorCount: 10 }
  const extended = { type: 0x05, firstLba: 32, sectorCount: 64 }

  it('lists what its entries say', async () => {
    const disk = diskWith(64, {
      0: mbrSector([
        { ...first, status: 0x80 },
        { ...first, type: 0x4d, firstLba: 20 },
      ]),
    })
    expect(await mapOf(disk)).toEqual({
      kind: 'mbr',
      blockBytes: 512,
      partitions: [
        { index: 1, name: null, type: 'Linux filesystem', offset: 4096, sizeBytes: 5120 },
        { index: 2, name: null, type: '0x4d', offset: 10_240, sizeBytes: 5120 },
      ],
    })
  })

  it('counts in the sectors of its device, where these are known', async () => {
    const pieces = {
      0: mbrSector([first, extended]),
      32: mbrSector([
        { type: 0x83, firstLba: 2, sectorCount: 4 },
        { type: 0x05, firstLba: 16, sectorCount: 16 },
      ]),
      48: mbrSector([{ type: 0x83, firstLba: 1, sectorCount: 8 }]),
    }
    const disk = diskWith(128, pieces, 4096)
    expect(await readPartitionMap(memoryDisk(disk), disk.length, 4096)).toMatchObject({
      kind: 'mbr',
      blockBytes: 4096,
      partitions: [
        { index: 1, offset: 8 * 4096, sizeBytes: 10 * 4096 },
        { index: 5, offset: 34 * 4096, sizeBytes: 4 * 4096 },
        { index: 6, offset: 49 * 4096, sizeBytes: 8 * 4096 },
      ],
    })
  })

  describe('whose partition', () => {
    const volume = buildFat16({ sectors: 4300, clusterSectors: 1, label: 'X', files: [] }).volume.subarray(
      0,
      512,
    )
    const lvm = Buffer.alloc(1024)
    lvm.write('LABELONE', 512)
    const at = (offset: number, bytes: Uint8Array, type = 0x83) => {
      const disk = Buffer.alloc(16 * 1024 ** 2)
      disk.set(mbrSector([{ type, firstLba: 256, sectorCount: 3000 }]))
      disk.set(bytes, offset)
      return disk
    }
    const [small, large] = [256 * 512, 256 * 4096]
    const counted = async (disk: Uint8Array, deviceBlockBytes?: number, readDisk = memoryDisk(disk)) =>
      (await readPartitionMap(readDisk, disk.length, deviceBlockBytes)).blockBytes

    it('begins where sectors of another size than the device has put it counts in those', async () => {
      expect(await readPartitionMap(memoryDisk(at(small, volume)), 16 * 1024 ** 2, 4096)).toMatchObject({
        blockBytes: 512,
        partitions: [{ offset: small, sizeBytes: 3000 * 512 }],
      })
      for (const device of [undefined, 512]) expect(await counted(at(large, volume), device)).toBe(4096)
      expect(await counted(at(small, lvm), 4096)).toBe(512)
      const chained = at(large, mbrSector([{ type: 0x83, firstLba: 2, sectorCount: 4 }]), 0x0f)
      expect(await readPartitionMap(memoryDisk(chained), chained.length)).toMatchObject({
        blockBytes: 4096,
        partitions: [{ index: 5, offset: 258 * 4096 }],
      })
    })

    it('begins where those of the device put it counts in these, whatever is at the other place', async () => {
      for (const known of [volume, lvm]) {
        const small2 = at(small, known)
        small2.set(volume, large)
        expect(await counted(small2)).toBe(512)
        const large2 = at(large, known)
        large2.set(volume, small)
        expect(await counted(large2, 4096)).toBe(4096)
      }
    })

    it('lies on the disk and at whole mebibytes by one size only counts in that', async () => {
      const mebibyte = 1024 ** 2
      const withOld = (entry: MbrEntry, diskBytes: number, places: readonly number[]) => {
        const disk = Buffer.alloc(diskBytes)
        disk.set(mbrSector([entry]))
        for (const place of places) disk.set(volume, place)
        return disk
      }
      // Where partitions mostly begin, of nothing that is known: what lies at eight times the place is left over.
      const usual = { type: 0x83, firstLba: 2048, sectorCount: 2048 }
      expect(await counted(withOld(usual, 24 * mebibyte, [8 * mebibyte]))).toBe(512)
      // Of DOS and iPods.
      const old = { type: 0x0b, firstLba: 63, sectorCount: 2000 }
      expect(await counted(withOld(old, 16 * mebibyte, [63 * 4096]))).toBe(4096)
      expect(await counted(withOld(old, 16 * mebibyte, [63 * 512, 63 * 4096]))).toBe(512)
      // An ISO image's, around all of it: there is something at a multiple of anything.
      const around = { type: 0xcd, firstLba: 1, sectorCount: 1023 }
      expect(await counted(withOld(around, 16 * mebibyte, [4096]))).toBe(512)
      // Of an image that was cut short.
      const long = { type: 0x83, firstLba: 256, sectorCount: 4096 }
      expect(await counted(withOld(long, 16 * mebibyte, [large]))).toBe(4096)
      // Left over in a partition that nothing is known of, and larger than that.
      const unknown = { type: 0x83, firstLba: 63, sectorCount: 16 * 2048 - 63 }
      expect(await counted(withOld(unknown, 16 * mebibyte, [63 * 4096]))).toBe(512)
      // The disk's own mark at its end, of an array that it was in.
      const mirrored = withOld(unknown, 16 * mebibyte, [])
      mirrored.write('Intel Raid ISM Cfg Sig. 1.1.00', 16 * mebibyte - 1024, 'latin1')
      expect(await counted(mirrored)).toBe(512)
      // On a device with larger sectors, by which it ends behind the disk, whatever is left over there.
      const whole = { type: 0x83, firstLba: 2048, sectorCount: 22 * 2048 }
      expect(await counted(withOld(whole, 24 * mebibyte, [mebibyte, 8 * mebibyte]), 4096)).toBe(512)
    })

    it('shows nothing counts in those of the device', async () => {
      expect(await counted(at(0, Buffer.alloc(0)))).toBe(512)
      expect(await counted(at(0, Buffer.alloc(0)), 4096)).toBe(4096)
      // A damaged GPT's.
      expect(await counted(at(large, volume, 0xee))).toBe(512)
    })

    it('cannot be read counts in those of the device', async () => {
      const disk = at(small, volume)
      const fails =
        (from: number, to: number, error: Error): ReadDisk =>
        async (offset, lengthBytes) => {
          if (offset < to && offset + lengthBytes > from) throw error
          return await memoryDisk(disk)(offset, lengthBytes)
        }
      const unreadable = new UnreadableError(small, 512, new Error('EIO'))
      for (const error of [unreadable, corrupt({ format: 'disk', field: 'run', offset: 0 })])
        expect(await counted(disk, 4096, fails(small, small + 4096, error))).toBe(4096)
      const gone = new Error('unplugged')
      await expect(counted(disk, 4096, fails(small, small + 4096, gone))).rejects.toBe(gone)
    })
  })

  it('is none when an entry cannot be one', async () => {
    for (const wrong of [{ status: 1 }, { firstLba: 0 }])
      expect(await mapOf(diskWith(64, { 0: mbrSector([first, { ...first, ...wrong }]) }))).toEqual(none)
    expect(await mapOf(diskWith(64, { 0: mbrSector([{ ...first, sectorCount: 0 }]) }))).toEqual(none)
  })

  it('counts logical partitions from five', async () => {
    const disk = diskWith(128, {
      0: mbrSector([first, extended]),
      32: mbrSector([
        { type: 0x83, firstLba: 2, sectorCount: 4 },
        { type: 0x05, firstLba: 16, sectorCount: 16 },
      ]),
      48: mbrSector([{ type: 0x82, firstLba: 2, sectorCount: 4 }]),
    })
    expect(
      (await mapOf(disk)).partitions.map(({ index, type, offset }) => [index, type, offset / 512]),
    ).toEqual([
      [1, 'Linux filesystem', 8],
      [5, 'Linux filesystem', 34],
      [6, 'Linux swap', 50],
    ])
  })

  it('does not follow a chain of boot records round in circles', async () => {
    const loop = mbrSector([
      { type: 0x83, firstLba: 2, sectorCount: 4 },
      { type: 0x05, firstLba: 0, sectorCount: 16 },
    ])
    const disk = diskWith(128, { 0: mbrSector([extended]), 32: loop })
    expect((await mapOf(disk)).partitions).toHaveLength(1)
  })

  it('follows a chain only so far', async () => {
    const pieces: Record<number, Uint8Array> = { 0: mbrSector([{ ...extended, sectorCount: 2000 }]) }
    for (let index = 0; index < 500; index++)
      pieces[32 + index] = mbrSector([
        { type: 0x83, firstLba: 2, sectorCount: 4 },
        { type: 0x05, firstLba: index + 1, sectorCount: 16 },
      ])
    expect((await mapOf(diskWith(1000, pieces))).partitions).toHaveLength(128)
  })

  it('ends its chain where a boot record is none or lies outside', async () => {
    const outside = diskWith(128, { 0: mbrSector([{ ...extended, firstLba: 5000 }, first]) })
    expect((await mapOf(outside)).partitions.map(({ index }) => index)).toEqual([2])
    const empty = diskWith(128, { 0: mbrSector([extended, first]) })
    expect((await mapOf(empty)).partitions.map(({ index }) => index)).toEqual([2])
  })

  it('may name partitions outside the disk: that is for others to judge', async () => {
    const disk = diskWith(16, { 0: mbrSector([{ ...first, firstLba: 0xffffffff, sectorCount: 0xffffffff }]) })
    expect((await mapOf(disk)).partitions[0]).toMatchObject({
      offset: 0xffffffff * 512,
      sizeBytes: 0xffffffff * 512,
    })
  })
})

describe('a GPT', () => {
  const one = { index: 1, name: 'one', type: 'Linux filesystem', offset: 20_480, sizeBytes: 60 * 512 }

  it('lists what its entries say', async () => {
    const odd = '11111111-2222-3333-4444-555555555555'
    const entries = [
      { partitionTypeGuid: linux, startingLba: 40, endingLba: 99, partitionName: 'one' },
      {},
      { partitionTypeGuid: odd, startingLba: 100, endingLba: 100 },
    ]
    expect(await mapOf(gptDisk({ entries }))).toEqual({
      kind: 'gpt',
      blockBytes: 512,
      partitions: [one, { index: 3, name: null, type: odd, offset: 51_200, sizeBytes: 512 }],
    })
  })

  it('may have sectors of 4096 bytes', async () => {
    expect(await mapOf(gptDisk({ sectorBytes: 4096, sectors: 128 }))).toEqual({
      kind: 'gpt',
      blockBytes: 4096,
      partitions: [{ ...one, offset: 40 * 4096, sizeBytes: 60 * 4096 }],
    })
  })

  it('is read from its backup when a byte of header or table is wrong', async () => {
    for (const at of [512, 520, 531, 560, 590, 1024, 1100, 1024 + 127 * 128]) {
      const disk = gptDisk()
      disk[at] = (disk[at] ?? 0) ^ 0x40
      expect(await mapOf(disk)).toEqual({ kind: 'gpt', blockBytes: 512, partitions: [one] })
    }
  })

  it('is read from its backup when the first cannot be decoded', async () => {
    const disk = gptDisk()
    const read = memoryDisk(disk)
    const map = await readPartitionMap(async (offset, length) => {
      if (offset >= 512 && offset < 1024) throw corrupt({ format: 'zlib', field: 'run', offset })
      return await read(offset, length)
    }, disk.length)
    expect(map).toEqual({ kind: 'gpt', blockBytes: 512, partitions: [one] })
  })

  it('is none when both are damaged: what protects it remains', async () => {
    const disk = gptDisk()
    disk.fill(0, 512, 600)
    disk.fill(0, disk.length - 512)
    expect(await mapOf(disk)).toMatchObject({ kind: 'mbr', partitions: [{ type: 'GPT protective' }] })
  })

  it('does not count when the MBR has other partitions and announces none', async () => {
    const mbr = mbrSector([{ type: 0x83, firstLba: 50, sectorCount: 10 }])
    expect(await mapOf(gptDisk({ mbr }))).toMatchObject({ kind: 'mbr', partitions: [{ offset: 25_600 }] })
  })

  it('counts without an MBR, but its backup does not: that may be left over', async () => {
    const disk = gptDisk({ mbr: new Uint8Array(512) })
    expect((await mapOf(disk)).kind).toBe('gpt')
    disk.fill(0, 512, 1024)
    expect(await mapOf(disk)).toEqual(none)
  })

  it('is none when its counts or sizes cannot be right', async () => {
    for (const header of [
      { numberOfPartitionEntries: 0xffffffff },
      { numberOfPartitionEntries: 1025 },
      { sizeOfPartitionEntry: 0xffffffff },
      { sizeOfPartitionEntry: 127 },
      { sizeOfPartitionEntry: 132 },
      { partitionEntryLba: Number.MAX_SAFE_INTEGER },
      { partitionEntryLba: 255 },
      { headerSize: 0xffffffff },
      { headerSize: 91 },
      { myLba: 7 },
    ])
      expect((await mapOf(gptDisk({ header }))).kind).toBe('mbr')
  })

  it('leaves out entries that end before they begin or lie beyond all numbers', async () => {
    const entries = [
      { partitionTypeGuid: linux, startingLba: 50, endingLba: 49 },
      { partitionTypeGuid: linux, startingLba: 50, endingLba: Number.MAX_SAFE_INTEGER },
      { partitionTypeGuid: linux, startingLba: 40, endingLba: 99, partitionName: 'one' },
    ]
    expect((await mapOf(gptDisk({ entries }))).partitions).toEqual([{ ...one, index: 3 }])
    const disk = gptDisk()
    disk.fill(0xff, 1024 + 32, 1024 + 48)
    const header = disk.subarray(512, 604)
    header.writeUInt32LE(crc32(disk.subarray(1024, 1024 + 16_384)), 88)
    header.writeUInt32LE(0, 16)
    header.writeUInt32LE(crc32(header), 16)
    expect(await mapOf(disk)).toEqual({ kind: 'gpt', blockBytes: 512, partitions: [] })
  })

  it('lets through what the medium says', async () => {
    const failure = new Error('EIO')
    await expect(readPartitionMap(() => Promise.reject(failure), 100_000)).rejects.toBe(failure)
  })
})

describe('an Apple partition map', () => {
  const entry = (more: Parameters<typeof apmEntryStruct.encode>[0]) =>
    apmEntryStruct.encode({ pmSig: 'PM', pmMapBlkCnt: 3, ...more })
  const map = [
    entry({ pmPyPartStart: 1, pmPartBlkCnt: 63, pmPartName: 'Apple', pmParType: 'Apple_partition_map' }),
    entry({ pmPyPartStart: 64, pmPartBlkCnt: 100, pmPartName: 'disk image', pmParType: 'Apple_HFS' }),
    entry({ pmPyPartStart: 164, pmPartBlkCnt: 10, pmParType: 'Apple_Free' }),
  ]
  const apmDisk = (blockBytes: number, spacing = blockBytes, entries = map) => {
    const disk = Buffer.alloc(256 * blockBytes)
    disk.set(ddmStruct.encode({ sbSig: 'ER', sbBlkSize: blockBytes, sbBlkCount: 256 }))
    entries.forEach((bytes, index) => disk.set(bytes, (index + 1) * spacing))
    return disk
  }

  it('lists its partitions, but neither itself nor free space', async () => {
    for (const blockBytes of [512, 2048])
      expect(await mapOf(apmDisk(blockBytes))).toEqual({
        kind: 'apm',
        blockBytes: 512,
        partitions: [
          {
            index: 2,
            name: 'disk image',
            type: 'Apple_HFS',
            offset: 64 * blockBytes,
            sizeBytes: 100 * blockBytes,
          },
        ],
      })
  })

  it('may have partitions without names', async () => {
    const unnamed = [entry({ pmMapBlkCnt: 1, pmPyPartStart: 8, pmPartBlkCnt: 1, pmParType: 'Apple_UFS' })]
    expect((await mapOf(apmDisk(512, 512, unnamed))).partitions).toEqual([
      { index: 1, name: null, type: 'Apple_UFS', offset: 4096, sizeBytes: 512 },
    ])
  })

  it('of a hybrid disc has its entries in blocks of 512', async () => {
    expect((await mapOf(apmDisk(2048, 512))).partitions).toEqual([
      { index: 2, name: 'disk image', type: 'Apple_HFS', offset: 32_768, sizeBytes: 51_200 },
    ])
  })

  it('is none when it claims more entries than it has, or absurdly many', async () => {
    for (const pmMapBlkCnt of [0, 4, 257, 0xffffffff])
      expect(
        await mapOf(apmDisk(512, 512, [entry({ pmMapBlkCnt, pmParType: 'Apple_HFS', pmPartBlkCnt: 1 })])),
      ).toEqual(none)
  })

  it('is none when it ends with the disk', async () => {
    expect(await mapOf(apmDisk(512).subarray(0, 1024))).toEqual(none)
  })

  it('is none with another block size', async () => {
    const disk = apmDisk(512)
    disk.writeUInt16BE(100, 2)
    expect((await mapOf(disk)).kind).toBe('apm')
    disk.fill(0, 512, 1024)
    expect(await mapOf(disk)).toEqual(none)
  })
})
