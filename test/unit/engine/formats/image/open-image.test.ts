import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openImage } from '#engine/formats/image'
import { DeviceError } from '#shared/errors'
import { buildFat16, buildMbrDisk } from '#test/build-fat'
import { buildUdif, writeUdif } from '#test/build-udif'
import { rejectionOf } from '#test/format-errors'
import { program } from '#test/needs'
import { rowsOf } from '#test/read-built-udif'
import { temporaryFolder } from '#test/temporary-folder'

const { volume } = buildFat16({ sectors: 4300, clusterSectors: 1, label: 'LABEL', files: [] })
const disk = buildMbrDisk({ sectors: 4400, firstSector: 64, type: 0x06, volume })
const noise = Buffer.from(Array.from({ length: 2048 }, (_, index) => (index * 7919) >> 3))

describe('opening an image', () => {
  it('tells all of a UDIF image', async () => {
    await using folder = await temporaryFolder()
    const built = buildUdif({
      tables: [
        {
          name: 'Master Boot Record (MBR : 0)',
          runs: [{ kind: 'zlib', sectors: 64, data: disk.subarray(0, 64 * 512) }],
        },
        {
          name: ' (Windows_FAT_16 : 1)',
          runs: [
            { kind: 'zlib', sectors: 512, data: volume.subarray(0, 512 * 512) },
            { kind: 'zero', sectors: 100 },
            { kind: 'ignore', sectors: 4336 - 612 },
          ],
        },
      ],
      scanned: false,
      segments: 2,
    })
    const path = writeUdif(folder.path, built, 'My image')
    const { info, layout, masterCheck } = await openImage(path)
    expect(info).toMatchObject({
      path,
      name: 'My image.dmg',
      format: 'UDZO',
      storedBytes: built.files.reduce((total, { bytes }) => total + bytes.length, 0),
      sizeBytes: disk.length,
      segmentCount: 2,
      partitionMap: 'mbr',
      runCounts: { zero: 1, ignore: 1, zlib: 2 },
      dataBytes: 576 * 512,
      dataForkChecksum: { algorithm: 'CRC-32' },
      masterChecksum: { algorithm: 'CRC-32' },
      inOrder: true,
      scan: null,
    })
    expect(Math.abs(info.modifiedMs - Date.now())).toBeLessThan(60_000)
    expect(info.partitions).toEqual([
      {
        index: 1,
        name: null,
        type: 'FAT16',
        offset: 32_768,
        sizeBytes: volume.length,
        filesystem: 'vfat',
        label: 'LABEL',
      },
    ])
    expect(
      info.tables.map(({ name, firstSector, sectorCount, runCount }) => [
        name,
        firstSector,
        sectorCount,
        runCount,
      ]),
    ).toEqual([
      ['Master Boot Record (MBR : 0)', 0, 64, 1],
      [' (Windows_FAT_16 : 1)', 64, 4336, 3],
    ])
    expect(layout).toMatchObject({ kind: 'extents', sizeBytes: disk.length })
    expect(masterCheck?.stored).toBe(masterCheck?.computed)
  })

  it('does not mind a partition map that cannot be decoded', async () => {
    await using folder = await temporaryFolder()
    const built = buildUdif({ tables: [{ runs: [{ kind: 'zlib', sectors: 64, stored: noise }] }] })
    const { info } = await openImage(await folder.write('a.dmg', built.bytes))
    expect(info).toMatchObject({ partitionMap: 'none', partitions: [], sizeBytes: 32_768 })
  })

  it('stops when it is told to', async () => {
    await using folder = await temporaryFolder()
    const path = await folder.write('a.img', disk)
    const reason = new Error('enough')
    await expect(openImage(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('asks whether it should stop before everything it reads', async () => {
    await using folder = await temporaryFolder()
    const path = await folder.write('a.img', disk)
    const reason = new Error('enough')
    /** Aborts when it is asked for the `number`th time. */
    const abortingAt = (number: number) => {
      const controller = new AbortController()
      let asked = 0
      const ask = controller.signal.throwIfAborted.bind(controller.signal)
      controller.signal.throwIfAborted = () => {
        if (++asked === number) controller.abort(reason)
        ask()
      }
      return controller.signal
    }
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        openImage(path, { signal: abortingAt(index + 1) }).catch((error: unknown) => error),
      ),
    )
    expect(outcomes).toEqual(outcomes.map(() => reason))
  })

  it('leaves no file open, whether it can read the image or not', async () => {
    await using folder = await temporaryFolder()
    const { readdirSync } = await import('node:fs')
    const openFiles = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0)
    const built = buildUdif({
      tables: [{ runs: [{ kind: 'raw', sectors: 64, data: disk.subarray(0, 32_768) }] }],
      segments: 3,
    })
    const good = writeUdif(folder.path, built, 'good')
    const bad = await folder.write('bad.dmg', 'nothing')
    const wrong = await folder.write('wrong.img.gz', Buffer.concat([gzipSync(disk).subarray(0, 900), noise]))
    const open = () => Promise.allSettled([good, bad, wrong].map((path) => openImage(path)))
    await open()
    const before = openFiles()
    await open()
    expect(openFiles()).toBe(before)
  })
})

describe('a raw image', () => {
  it('is recognised by its partition map', async () => {
    await using folder = await temporaryFolder()
    const { info, layout, masterCheck } = await openImage(await folder.write('anything', disk))
    expect(info).toMatchObject({
      format: 'raw',
      sizeBytes: disk.length,
      storedBytes: disk.length,
      partitionMap: 'mbr',
      partitions: [{ filesystem: 'vfat', label: 'LABEL' }],
      runCounts: {},
      dataBytes: null,
      inOrder: null,
    })
    expect(layout.kind === 'extents' && rowsOf(layout.extents)).toEqual([
      `raw 0+${disk.length} @0+${disk.length}`,
    ])
    expect(masterCheck).toBeNull()
  })

  it('of a hybrid disc says which file system begins with the disk, beside its map', async () => {
    await using folder = await temporaryFolder()
    const disc = Buffer.concat([disk, Buffer.alloc(4096)])
    disc.write('\u0002CD001', 32_768, 'latin1')
    const { info } = await openImage(await folder.write('disc.iso', disc))
    expect(info).toMatchObject({ partitionMap: 'mbr', hybrid: 'iso9660' })
    expect((await openImage(await folder.write('disk.img', disk))).info).not.toHaveProperty('hybrid')
  })

  it('is recognised by its file system', async () => {
    await using folder = await temporaryFolder()
    const { info } = await openImage(await folder.write('volume', volume))
    expect(info.partitions).toEqual([
      {
        index: 0,
        name: null,
        type: 'whole disk',
        offset: 0,
        sizeBytes: volume.length,
        filesystem: 'vfat',
        label: 'LABEL',
      },
    ])
  })

  it('is recognised by a boot signature', async () => {
    await using folder = await temporaryFolder()
    const bytes = Buffer.from(noise)
    bytes.set([0x55, 0xaa], 510)
    expect((await openImage(await folder.write('boot', bytes))).info.format).toBe('raw')
  })

  it('may be named one when it has whole sectors, even with nothing recognised inside', async () => {
    await using folder = await temporaryFolder()
    for (const name of ['a.img', 'a.raw', 'a.ISO', 'a.bin', 'a.dd'])
      expect((await openImage(await folder.write(name, noise))).info).toMatchObject({
        format: 'raw',
        partitions: [],
      })
    for (const [name, bytes] of [
      ['a.dmg', noise],
      ['a', noise],
      ['b.img', noise.subarray(1)],
      ['c.img', noise.subarray(0, 100)],
      ['d.img', new Uint8Array(0)],
    ] as const)
      expect(await rejectionOf(openImage(await folder.write(name, bytes)))).toMatchObject({
        code: 'E_SRC_FORMAT',
      })
  })

  it('under the name of a .dmg is a read-write image of Apple', async () => {
    await using folder = await temporaryFolder()
    expect((await openImage(await folder.write('a.dmg', disk))).info.format).toBe('UDRW')
  })

  it('whose end is no whole sector ends in zeros', async () => {
    await using folder = await temporaryFolder()
    const { info, layout } = await openImage(
      await folder.write('a', Buffer.concat([disk, Buffer.from('abc')])),
    )
    expect(info).toMatchObject({ storedBytes: disk.length + 3, sizeBytes: disk.length + 512 })
    expect(layout.kind === 'extents' && rowsOf(layout.extents)[1]).toBe(
      `raw ${disk.length}+512 @${disk.length}+3`,
    )
  })

  it('that ends before its partitions or its file system do is refused', async () => {
    await using folder = await temporaryFolder()
    const cutDisk = await folder.write('a.img', disk.subarray(0, -37 * 512))
    expect(await rejectionOf(openImage(cutDisk))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      field: 'size for mbr partition 1',
    })
    const cutVolume = await folder.write('b.img', volume.subarray(0, -512))
    expect(await rejectionOf(openImage(cutVolume))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      field: 'vfat size',
    })
  })

  it('of a disk with sectors of 4096 bytes ends before its partition does', async () => {
    await using folder = await temporaryFolder()
    const large = Buffer.alloc((256 + 2000) * 4096)
    large.writeUInt8(0x83, 450)
    large.writeUInt32LE(256, 454)
    large.writeUInt32LE(2000, 458)
    large.writeUInt16LE(0xaa55, 510)
    large.set(volume, 1 << 20)
    const { info } = await openImage(await folder.write('large.img', large))
    expect(info).toMatchObject({ mapBlockBytes: 4096, partitions: [{ offset: 1 << 20, filesystem: 'vfat' }] })
    const cut = await folder.write('cut.img', large.subarray(0, (1 << 20) + volume.length - 4096))
    expect(await rejectionOf(openImage(cut))).toMatchObject({ field: 'size for mbr partition 1' })
  })

  it('that ends inside a partition is whole where the file system in that is', async () => {
    await using folder = await temporaryFolder()
    const router = Buffer.alloc(2 << 20)
    router.writeUInt8(0x83, 450)
    router.writeUInt32LE(2048, 454)
    router.writeUInt32LE(100 * 2048, 458)
    router.writeUInt16LE(0xaa55, 510)
    router.write('hsqs', 1 << 20, 'latin1')
    router.writeUInt16LE(4, (1 << 20) + 28)
    router.writeBigUInt64LE(BigInt(900_000), (1 << 20) + 40)
    const { info } = await openImage(await folder.write('router.img', router))
    expect(info).toMatchObject({ sizeBytes: router.length, partitions: [{ filesystem: 'squashfs' }] })
    router.writeBigUInt64LE(BigInt(1_100_000), (1 << 20) + 40)
    const cut = await folder.write('cut.img', router)
    expect(await rejectionOf(openImage(cut))).toMatchObject({ field: 'size for mbr partition 1' })
  })
})

describe('a blank disk', () => {
  it('is an image, whatever it is called', async () => {
    await using folder = await temporaryFolder()
    const blank = (name: string, bytes: number) => folder.write(name, new Uint8Array(bytes))
    expect((await openImage(await blank('Blank.dmg', 65_536))).info).toMatchObject({
      format: 'UDRW',
      sizeBytes: 65_536,
    })
    expect((await openImage(await blank('Blank', 512))).info.format).toBe('raw')
    expect(await rejectionOf(openImage(await blank('cut', 1000)))).toMatchObject({ code: 'E_SRC_FORMAT' })
  })
})

describe('a compressed raw image', () => {
  it('is told by its bytes, and tells its size when it is small or says so', async () => {
    await using folder = await temporaryFolder()
    const { info, layout } = await openImage(await folder.write('no-name', gzipSync(disk)))
    expect(info).toMatchObject({
      format: 'raw.gz',
      sizeBytes: disk.length,
      partitionMap: 'mbr',
      segmentCount: 1,
    })
    expect(layout).toMatchObject({ kind: 'stream', codec: 'gzip', sizeBytes: disk.length })
    const large = Buffer.concat([disk, Buffer.alloc(6 * 1024 * 1024)])
    const stated = zstdCompressSync(large, { pledgedSrcSize: large.length })
    expect((await openImage(await folder.write('a.zst', stated))).info.sizeBytes).toBe(large.length)
    const unstated = await openImage(await folder.write('a.gz', gzipSync(large)))
    expect(unstated.info).toMatchObject({ sizeBytes: null, partitionMap: 'mbr' })
    expect(unstated.layout.sizeBytes).toBeNull()
  })

  it('tells which checksum it carries, of those that reading it compares', async () => {
    await using folder = await temporaryFolder()
    const of = async (bytes: Uint8Array) =>
      (await openImage(await folder.write('a.img', bytes))).info.streamChecksum
    const params = { [constants.ZSTD_c_checksumFlag]: 1 }
    expect(await of(gzipSync(disk))).toBe('CRC-32')
    expect(await of(zstdCompressSync(disk, { params }))).toBe('XXH64')
    expect(await of(zstdCompressSync(disk))).toBeUndefined()
    expect(await of(disk)).toBeUndefined()
  })

  it.skipIf(program('xz') === null || program('bzip2') === null)(
    'tells that of xz and bzip2, too',
    async () => {
      await using folder = await temporaryFolder()
      for (const [name, options, algorithm] of [
        ['bzip2', [], 'CRC-32'],
        ['xz', ['-C', 'crc32'], 'CRC-32'],
        ['xz', ['-C', 'crc64'], 'CRC-64'],
        ['xz', ['-C', 'none'], undefined],
      ] as const) {
        const bytes = execFileSync(program(name) ?? '', ['-c', ...options], { input: disk })
        const { info } = await openImage(await folder.write('a.img', bytes))
        expect(info.streamChecksum).toBe(algorithm)
      }
    },
  )

  it('has whole sectors', async () => {
    await using folder = await temporaryFolder()
    const bytes = Buffer.concat([disk, Buffer.from('abc')])
    expect((await openImage(await folder.write('a.gz', gzipSync(bytes)))).info.sizeBytes).toBe(
      disk.length + 512,
    )
  })

  it('with a file system and no map has it as its only partition, when its size is known', async () => {
    await using folder = await temporaryFolder()
    const { info } = await openImage(await folder.write('a.gz', gzipSync(volume)))
    expect(info.partitions).toMatchObject([{ index: 0, filesystem: 'vfat', sizeBytes: volume.length }])
  })

  it('needs a disk inside, or a name that says so', async () => {
    await using folder = await temporaryFolder()
    expect((await openImage(await folder.write('a.img.gz', gzipSync(noise)))).info.format).toBe('raw.gz')
    expect(await rejectionOf(openImage(await folder.write('a.gz', gzipSync(noise))))).toMatchObject({
      code: 'E_SRC_FORMAT',
      format: 'gzip',
      field: 'contents',
    })
  })

  it('that expands to nothing is refused', async () => {
    await using folder = await temporaryFolder()
    expect(await rejectionOf(openImage(await folder.write('a.img.gz', gzipSync(''))))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      field: 'size',
    })
  })

  it('whose beginning cannot be expanded is refused', async () => {
    await using folder = await temporaryFolder()
    const bytes = gzipSync(disk)
    bytes.fill(0xff, 12, 40)
    expect(await rejectionOf(openImage(await folder.write('a.img.gz', bytes)))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      format: 'gzip',
    })
  })

  it('under the name of a .dmg is refused when its codec is one of UDIF: it may be one without its trailer', async () => {
    await using folder = await temporaryFolder()
    const bzip2 = Buffer.concat([Buffer.from('BZh91AY&SY'), noise])
    expect(await rejectionOf(openImage(await folder.write('a.dmg', bzip2)))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      field: 'koly',
    })
  })
})

describe('what is no image file', () => {
  it('is told apart', async () => {
    await using folder = await temporaryFolder()
    expect(await rejectionOf(openImage(folder.path))).toMatchObject({
      code: 'E_SRC_FORMAT',
      format: 'folder',
    })
    await expect(openImage(folder.path)).rejects.toMatchObject({ details: { found: 'a folder' } })
    const small = async (size: number) => openImage(await folder.write('small.dmg', Buffer.alloc(size)))
    await expect(small(0)).rejects.toMatchObject({
      code: 'E_SRC_FORMAT',
      details: { field: 'size', found: 0 },
    })
    await expect(small(4)).rejects.toMatchObject({ code: 'E_SRC_FORMAT', details: { found: '00000000' } })
    await mkdir(join(folder.path, 'a.sparsebundle/bands'), { recursive: true })
    expect(await rejectionOf(openImage(join(folder.path, 'a.sparsebundle')))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      format: 'sparsebundle',
    })
    await expect(openImage(join(folder.path, 'absent.dmg'))).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
    await expect(openImage(join(folder.path, 'absent.dmg'))).rejects.toBeInstanceOf(DeviceError)
  })

  it.skipIf(process.platform === 'win32')(
    'is refused without waiting when it is a pipe or a device',
    async () => {
      await using folder = await temporaryFolder()
      const pipe = join(folder.path, 'pipe')
      execFileSync(program('mkfifo') ?? '', [pipe])
      for (const path of [pipe, '/dev/zero'])
        expect(await rejectionOf(openImage(path))).toMatchObject({ code: 'E_SRC_FORMAT', field: 'kind' })
    },
  )
})
