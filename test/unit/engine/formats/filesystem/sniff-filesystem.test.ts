import { describe, expect, it } from 'vitest'
import { sniffFilesystem } from '#engine/formats/filesystem'
import { corrupt } from '#engine/formats/struct'
import { buildFat16 } from '#test/build-fat'
import { memoryDisk } from '#test/memory-source'

const sniff = (bytes: Uint8Array) =>
  sniffFilesystem(memoryDisk(bytes), { offset: 0, sizeBytes: bytes.length })

/** A volume of zeros with these at these places. */
function volume(
  pieces: readonly (readonly [offset: number, bytes: string | readonly number[]])[],
  size = 131_072,
) {
  const bytes = Buffer.alloc(size)
  for (const [offset, piece] of pieces)
    bytes.set(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece, offset)
  return bytes
}

const be16 = (value: number) => [value >> 8, value & 0xff]
const be32 = (value: number) => [...be16(value >>> 16), ...be16(value & 0xffff)]
const le32 = (value: number) => be32(value).toReversed()
const le64 = (value: number) => [...le32(value), 0, 0, 0, 0]

/** An HFS+ volume with its name in a catalog of one leaf. */
function hfsPlus({ signature = 'H+', version = 4, name = 'Macintosh HD', attributes = 0x100 } = {}) {
  const catalogAt = 5 * 4096
  return volume([
    [1024, signature],
    [1026, be16(version)],
    [1028, be32(attributes)],
    [1024 + 40, be32(4096)],
    [1024 + 44, be32(32)],
    [1024 + 272 + 16, [...be32(5), ...be32(4)]],
    [catalogAt + 8, [1]],
    [catalogAt + 24, be32(1)],
    [catalogAt + 32, be16(4096)],
    [catalogAt + 4096 + 8, [0xff]],
    [catalogAt + 4096 + 14, be16(6 + name.length * 2)],
    [catalogAt + 4096 + 16, be32(1)],
    [catalogAt + 4096 + 20, be16(name.length)],
    [catalogAt + 4096 + 22, [...Buffer.from(name, 'utf16le').swap16()]],
  ])
}

describe('a volume', () => {
  it('without a file system we know has none', async () => {
    for (const size of [0, 1, 512, 1024, 100_000]) {
      expect(await sniff(new Uint8Array(size))).toBeNull()
      expect(await sniff(new Uint8Array(size).fill(0xff))).toBeNull()
      expect(await sniff(Uint8Array.from({ length: size }, (_, index) => (index * 7919) >> 2))).toBeNull()
    }
  })

  it('whose beginning cannot be decoded has none', async () => {
    const failing = () => Promise.reject(corrupt({ format: 'zlib', field: 'run', offset: 0 }))
    expect(await sniffFilesystem(failing, { offset: 0, sizeBytes: 1 << 20 })).toBeNull()
  })

  it('that the medium cannot read is an error', async () => {
    const failure = new Error('EIO')
    await expect(
      sniffFilesystem(() => Promise.reject(failure), { offset: 0, sizeBytes: 1 << 20 }),
    ).rejects.toBe(failure)
  })

  it('is looked at where it lies on its disk', async () => {
    const disk = Buffer.concat([Buffer.alloc(70_000, 1), hfsPlus()])
    expect(
      await sniffFilesystem(memoryDisk(disk), { offset: 70_000, sizeBytes: disk.length - 70_000 }),
    ).toMatchObject({ filesystem: 'hfsplus', label: 'Macintosh HD' })
  })

  it('is never read outside, whatever its superblock says', async () => {
    const bytes = hfsPlus()
    bytes.set(be32(0xffffffff), 1024 + 272 + 16)
    expect(await sniff(bytes)).toMatchObject({ filesystem: 'hfsplus', label: null })
  })
})

describe('HFS+', () => {
  it('is told with its label and size', async () => {
    expect(await sniff(hfsPlus())).toEqual({
      filesystem: 'hfsplus',
      version: null,
      label: 'Macintosh HD',
      sizeBytes: 131_072,
    })
    expect(await sniff(hfsPlus({ attributes: 0x2100, name: 'Ünïcode' }))).toMatchObject({
      version: 'journaled',
      label: 'Ünïcode',
    })
  })

  it('with case-sensitive names is HFSX', async () => {
    expect(await sniff(hfsPlus({ signature: 'HX', version: 5 }))).toMatchObject({ filesystem: 'hfsx' })
    expect(await sniff(hfsPlus({ signature: 'HX', version: 4 }))).toBeNull()
  })

  it('with an impossible block size is none', async () => {
    for (const size of [0, 511, 5000]) {
      const bytes = hfsPlus()
      bytes.set(be32(size), 1064)
      expect(await sniff(bytes)).toBeNull()
    }
  })

  it('with a catalog that is none has no label', async () => {
    for (const at of [8, 4096 + 8, 4096 + 19]) {
      const bytes = hfsPlus()
      bytes[5 * 4096 + at] = 0x55
      expect(await sniff(bytes)).toMatchObject({ filesystem: 'hfsplus', label: null })
    }
  })

  it('in a wrapper is told apart from HFS', async () => {
    const hfs: [number, string | number[]][] = [
      [1024, 'BD'],
      [1024 + 36, [3]],
      [1024 + 37, 'Old'],
    ]
    expect(await sniff(volume(hfs))).toMatchObject({ filesystem: 'hfs', label: 'Old' })
    expect(await sniff(volume([...hfs, [1024 + 124, 'H+']]))).toMatchObject({ filesystem: 'hfsplus' })
  })
})

describe('other file systems', () => {
  it('APFS is told by its container', async () => {
    const container: [number, string | number[]][] = [
      [24, [1, 0, 0, 0x80]],
      [32, 'NXSB'],
      [36, le32(4096)],
      [40, le64(32)],
    ]
    expect(await sniff(volume(container))).toEqual({
      filesystem: 'apfs',
      version: null,
      label: null,
      sizeBytes: 131_072,
    })
    expect(await sniff(volume([...container, [36, le32(100)]]))).toBeNull()
    expect(await sniff(volume([...container, [24, [2]]]))).toBeNull()
  })

  it('a hybrid disc is one of ISO 9660', async () => {
    const bytes = hfsPlus()
    bytes.write('\x01CD001', 32_768, 'latin1')
    bytes.write('DISC', 32_808, 'latin1')
    expect(await sniff(bytes)).toMatchObject({ filesystem: 'iso9660', label: 'DISC' })
  })

  it('FAT needs sense in every field', async () => {
    const { volume: fat } = buildFat16({ sectors: 4300, clusterSectors: 1, label: 'LABEL', files: [] })
    expect(await sniff(fat)).toEqual({
      filesystem: 'vfat',
      version: 'FAT16',
      label: 'LABEL',
      sizeBytes: fat.length,
    })
    for (const [at, value] of [
      [0, 0],
      [11, 1],
      [12, 0x30],
      [13, 3],
      [13, 0],
      [14, 0],
      [16, 0],
      [16, 9],
      [21, 0x10],
      [22, 0],
      [510, 0],
    ] as const) {
      const bytes = Buffer.from(fat)
      bytes[at] = value
      expect([at, await sniff(bytes)]).toEqual([at, null])
    }
  })

  it('FAT takes its label from the root folder, and passes over deleted entries and long names', async () => {
    const { volume: fat } = buildFat16({
      sectors: 4300,
      clusterSectors: 1,
      label: 'LABEL',
      files: [{ name: 'long name.txt', shortName: 'LONGNA~1TXT', data: Buffer.from('x') }],
    })
    const rootAt = fat.indexOf('LABEL      \x08', 512, 'latin1')
    fat[rootAt] = 0xe5
    fat.write('BOOT LABEL ', 43, 'latin1')
    expect(await sniff(fat)).toMatchObject({ label: 'BOOT LABEL' })
    fat.write('NO NAME    ', 43, 'latin1')
    expect(await sniff(fat)).toMatchObject({ label: null })
  })

  it('a label with control characters is none', async () => {
    expect(await sniff(hfsPlus({ name: 'a\nb' }))).toMatchObject({ label: null })
    expect(await sniff(hfsPlus({ name: '   ' }))).toMatchObject({ label: null })
  })

  it('a journal of its own on a disk is no ext', async () => {
    const ext: [number, string | number[]][] = [
      [1024 + 56, [0x53, 0xef]],
      [1024 + 4, le32(128)],
      [1024 + 120, 'label'],
    ]
    expect(await sniff(volume(ext))).toMatchObject({ filesystem: 'ext2', label: 'label', sizeBytes: 131_072 })
    expect(await sniff(volume([...ext, [1024 + 96, [8]]]))).toBeNull()
  })

  it('NTFS whose table lies outside has no label', async () => {
    const ntfs: [number, string | number[]][] = [
      [3, 'NTFS    '],
      [11, [0, 2]],
      [13, [8]],
      [40, le64(255)],
      [48, le64(0x7fffffff)],
      [64, [0xf6]],
      [510, [0x55, 0xaa]],
    ]
    expect(await sniff(volume(ntfs))).toEqual({
      filesystem: 'ntfs',
      version: null,
      label: null,
      sizeBytes: 131_072,
    })
  })
})
