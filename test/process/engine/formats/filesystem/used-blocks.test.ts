import { open, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readUsedBlocks, type UsedBlocks } from '#engine/formats/filesystem'
import {
  fillFolder,
  hashVolume,
  isSound,
  makeVolume,
  volumeKinds,
  withMounted,
  type VolumeKind,
} from '#test/filled-volume'
import { raid1 } from '#test/linux-raid'
import { command } from '#test/loop'
import { missing } from '#test/needs'
import { temporaryFolder } from '#test/temporary-folder'

const kinds: readonly VolumeKind[] = Object.values(volumeKinds).flat()
const programs = [
  'debugfs',
  'mke2fs',
  'mkfs.xfs',
  'mkfs.btrfs',
  'mkntfs',
  'mkfs.exfat',
  'mkfs.vfat',
  'mcopy',
  'mount.exfat-fuse',
]
const needs = programs.map((name) => `program:${name}` as const)

async function look(file: string, place?: { offset: number; sizeBytes: number }): Promise<UsedBlocks> {
  await using handle = await open(file, 'r')
  const { size } = await handle.stat()
  return await readUsedBlocks(
    async (offset, lengthBytes) => {
      const bytes = new Uint8Array(lengthBytes)
      const { bytesRead } = await handle.read(bytes, 0, lengthBytes, offset)
      expect(bytesRead).toBe(lengthBytes)
      return bytes
    },
    place ?? { offset: 0, sizeBytes: size },
  )
}

function rangesOf(found: UsedBlocks): (readonly [number, number])[] {
  if (found.kind !== 'used') throw new Error(`read whole: ${found.reason}, ${found.problem}`)
  return [...found.ranges]
}

/** Whatever isn't used is overwritten. */
async function spoilUnused(file: string, ranges: readonly (readonly [number, number])[]): Promise<void> {
  const { size } = await stat(file)
  await using handle = await open(file, 'r+')
  const junk = Buffer.alloc(1024 * 1024, 0xa5)
  let at = 0
  for (const [from, to] of [...ranges, [size, size] as const]) {
    for (; at < from; at += Math.min(junk.length, from - at))
      await handle.write(junk, 0, Math.min(junk.length, from - at), at)
    at = to
  }
}

describe.skipIf(missing('root', 'loop', ...needs))('used blocks', { timeout: 60_000 }, () => {
  it.each(kinds.map((kind) => [kind.name, kind] as const))(
    'of %s are all that is needed',
    async (_, kind) => {
      await using folder = await temporaryFolder()
      const file = join(folder.path, 'volume.img')
      const before = await makeVolume(kind, file)
      const ranges = rangesOf(await look(file))
      const usedBytes = ranges.reduce((sum, [from, to]) => sum + to - from, 0)
      // XFS has 64 MiB of log.
      expect(usedBytes).toBeLessThan(kind.sizeBytes * (kind.sizeBytes < 20 * 1024 ** 2 ? 0.7 : 0.25))
      await spoilUnused(file, ranges)
      expect(await isSound(kind, file)).toBe(true)
      expect(await hashVolume(kind, file)).toEqual(before)
    },
  )

  it.each(['ext', 'xfs', 'btrfs'] as const)('of %s are not believed while it is mounted', async (family) => {
    const [kind] = volumeKinds[family]
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    await makeVolume(kind, file)
    const copy = join(folder.path, 'pulled out.img')
    await withMounted(kind, file, 'rw', async (mounted, device) => {
      await writeFile(join(mounted, 'new'), 'a file that nobody flushed')
      fillFolder(join(mounted, 'folder 1'))
      await using handle = await open(join(mounted, 'new'), 'r+')
      await handle.sync()
      // What is on the medium now, as after a power cut.
      await command('dd', [`if=${device}`, `of=${copy}`, 'bs=1M', 'conv=sparse', 'status=none'])
    })
    const found = await look(copy)
    expect(found).toMatchObject({ kind: 'whole', reason: 'unclean' })
    expect((await look(file)).kind).toBe('used')
  })

  it('of ext4 agree with what dumpe2fs calls free', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    await makeVolume(volumeKinds.ext[2], file)
    const text = await command('dumpe2fs', ['-h', file])
    const number = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1])
    const used = number('Block count') - number('Free blocks')
    const usedBytes = rangesOf(await look(file)).reduce((sum, [from, to]) => sum + to - from, 0)
    expect(usedBytes / number('Block size')).toBe(used)
  })

  it.each([
    ['ext2', 1024, 3],
    ['ext3', 1024, 700],
    ['ext4', 4096, 3],
    ['ext4', 1024, 700],
  ])('of %s with blocks of %i are without the %i that it calls bad', async (type, blockBytes, count) => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    const bad = Array.from({ length: count }, (_, index) => 9001 + index * 3)
    const list = await folder.write('bad blocks', Buffer.from(bad.join('\n')))
    const options = ['-t', type, '-b', String(blockBytes), '-l', list]
    const kind = { ...volumeKinds.ext[2], mkfs: ['mke2fs', '-q', ...options], sizeBytes: 100 * 1024 ** 2 }
    const before = await makeVolume(kind, file)
    const ranges = rangesOf(await look(file))
    const isRead = (block: number) =>
      ranges.some(([from, to]) => from < (block + 1) * blockBytes && to > block * blockBytes)
    expect(bad.filter(isRead).length).toBe(0)
    const usedBytes = ranges.reduce((sum, [from, to]) => sum + to - from, 0)
    const text = await command('dumpe2fs', ['-h', file])
    const number = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1])
    const inUse = number('Block count') - number('Free blocks') - count
    expect(usedBytes / blockBytes).toBe(inUse)
    await spoilUnused(file, ranges)
    expect(await isSound(kind, file)).toBe(true)
    expect(await hashVolume(kind, file)).toEqual(before)
  })

  it('of ext4 are without bad blocks, but for those that hold its own records', async () => {
    await using folder = await temporaryFolder()
    const list = await folder.write('bad blocks', Buffer.from('9001'))
    const file = await folder.write('volume.img', new Uint8Array(0))
    await truncate(file, 64 * 1024 ** 2)
    await command('mke2fs', ['-q', '-t', 'ext4', '-b', '1024', '-l', list, file])
    const text = await command('dumpe2fs', [file])
    const places = /Block bitmap at (\d+)[^]*?Inode bitmap at (\d+)[^]*?Inode table at (\d+)/.exec(text) ?? []
    expect(places).toHaveLength(4)
    const isRead = async (block: number) => {
      await command('debugfs', ['-w', '-R', `sif <1> block[0] ${block}`, file])
      const ranges = rangesOf(await look(file))
      return ranges.some(([from, to]) => from < (block + 1) * 1024 && to > block * 1024)
    }
    for (const block of [1, 2, ...places.slice(1).map(Number)]) expect(await isRead(block)).toBe(true)
    // What is reserved for more descriptors, and a copy of the superblock.
    for (const block of [100, 8193, 9001]) expect(await isRead(block)).toBe(false)
  })

  it('are not believed when two file systems seem to be there, or a RAID wrote its mark', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    await makeVolume(volumeKinds.ext[2], file)
    const mark = async (offset: number, bytes: Buffer) => {
      await using handle = await open(file, 'r+')
      const before = Buffer.alloc(bytes.length)
      await handle.read(before, 0, bytes.length, offset)
      await handle.write(bytes, 0, bytes.length, offset)
      return before
    }
    const raid = await mark(4096 + 8192, raid1((4096 + 8192) / 512))
    expect((await look(file)).kind).toBe('used')
    await mark(4096 + 8192, raid)
    const atEnd = (await stat(file)).size - 8192
    const before = await mark(atEnd, raid1(atEnd / 512))
    expect(await look(file)).toMatchObject({ kind: 'whole', reason: 'unknown' })
    await mark(atEnd, before)
    await mark(65_536 + 64, Buffer.from('_BHRfS_M'))
    expect(await look(file)).toMatchObject({ kind: 'whole', reason: 'unknown' })
  })

  /** `change` of the file's bytes from `offset` on, as long as `work` lasts. */
  async function patched<T>(
    file: string,
    offset: number,
    change: (bytes: Buffer) => void,
    work: () => Promise<T>,
  ) {
    await using handle = await open(file, 'r+')
    const before = Buffer.alloc(512)
    await handle.read(before, 0, 512, offset)
    const bytes = Buffer.from(before)
    change(bytes)
    await handle.write(bytes, 0, 512, offset)
    try {
      return await work()
    } finally {
      await handle.write(before, 0, 512, offset)
    }
  }

  it('of FAT are not believed when it says it is in use, or its tables differ', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    const [, , fat32] = volumeKinds.fat
    await makeVolume(fat32, file)
    const boot = await open(file, 'r').then(async (handle) => {
      const bytes = Buffer.alloc(512)
      await handle.read(bytes, 0, 512, 0)
      await handle.close()
      return bytes
    })
    const tableAt = boot.readUInt16LE(14) * 512
    const secondAt = tableAt + boot.readUInt32LE(36) * 512
    const seen = () => look(file)
    const inBoot = await patched(file, 0, (bytes) => bytes.writeUInt8(bytes.readUInt8(65) | 1, 65), seen)
    expect(inBoot).toMatchObject({ kind: 'whole', reason: 'unclean' })
    const differ = await patched(file, secondAt, (bytes) => bytes.writeUInt32LE(0x0fff_ffff, 500), seen)
    expect(differ).toMatchObject({ kind: 'whole', reason: 'inconsistent' })
    expect((await seen()).kind).toBe('used')
  })

  it('of exFAT and NTFS are not believed when they say they are in use', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    await makeVolume(volumeKinds.exfat[0], file)
    const seen = () => look(file)
    const dirty = await patched(file, 0, (bytes) => bytes.writeUInt16LE(2, 106), seen)
    expect(dirty).toMatchObject({ kind: 'whole', reason: 'unclean' })
    const lying = await patched(file, 0, (bytes) => bytes.writeUInt32LE(bytes.readUInt32LE(92) - 8, 92), seen)
    expect(lying).toMatchObject({ kind: 'whole', reason: 'inconsistent' })

    await makeVolume(volumeKinds.ntfs[0], file)
    // Record 3 of 1 KiB, behind its attributes: $VOLUME_INFORMATION has its flags 10 bytes into its value.
    const tableAt = 4 * 4096
    const marked = await patched(
      file,
      tableAt + 3 * 1024,
      (bytes) => {
        expect(bytes.toString('latin1', 0, 4)).toBe('FILE')
        let at = bytes.readUInt16LE(20)
        while (bytes.readUInt32LE(at) !== 0x70) at += bytes.readUInt32LE(at + 4)
        bytes.writeUInt16LE(1, at + bytes.readUInt16LE(at + 20) + 10)
      },
      seen,
    )
    expect(marked).toMatchObject({ kind: 'whole', reason: 'unclean' })
    expect(await seen()).toMatchObject({ kind: 'used', hasShadowCopies: false })
  })

  it('of NTFS are told to be without shadow copies, where there are some', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    await makeVolume({ ...volumeKinds.ntfs[0], access: null }, file)
    const found = await patched(
      file,
      0x1e00,
      (bytes) => {
        bytes.write('6b87083876c1484eb7ae04046e6cc752', 'hex')
        bytes.writeBigUInt64LE(0x40_0000n, 48)
      },
      () => look(file),
    )
    expect(found).toMatchObject({ kind: 'used', hasShadowCopies: true })
  })

  it('of NTFS are not believed when the bitmap has no bits of the files it lies among, or a record is another', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    await makeVolume(volumeKinds.ntfs[0], file)
    const seen = () => look(file)
    expect((await seen()).kind).toBe('used')
    const recordAt = (index: number) => 4 * 4096 + index * 1024
    let bitmapAt = 0
    const otherNumber = await patched(
      file,
      recordAt(6),
      (bytes) => {
        let at = bytes.readUInt16LE(20)
        while (bytes.readUInt32LE(at) !== 0x80) at += bytes.readUInt32LE(at + 4)
        const run = at + bytes.readUInt16LE(at + 32)
        const sizes = bytes.readUInt8(run)
        bitmapAt = bytes.readUIntLE(run + 1 + (sizes & 15), sizes >>> 4) * 4096
        expect(bytes.readUInt32LE(44)).toBe(6)
        bytes.writeUInt32LE(7, 44)
      },
      seen,
    )
    expect(otherNumber).toMatchObject({ kind: 'whole', reason: 'inconsistent', problem: 'record 6' })
    const deleted = await patched(file, recordAt(6), (bytes) => bytes.writeUInt16LE(0, 22), seen)
    expect(deleted).toMatchObject({ kind: 'whole', reason: 'inconsistent', problem: 'record 6' })

    const emptied = await patched(file, bitmapAt, (bytes) => bytes.fill(0), seen)
    expect(emptied).toMatchObject({ kind: 'whole', reason: 'inconsistent' })
    // The copy of the table's first records, by its cluster in the boot sector, is in the middle of the volume.
    const mirrorCluster = (100 * 1024 ** 2) / 4096 / 2 - 1
    const mirrorAt = bitmapAt + Math.floor(mirrorCluster / 8)
    const within = mirrorAt % 512
    const unmirrored = await patched(file, mirrorAt - within, (bytes) => bytes.writeUInt8(0, within), seen)
    expect(unmirrored).toMatchObject({ kind: 'whole', reason: 'inconsistent' })
    expect((await seen()).kind).toBe('used')
  })

  it('of NTFS are without the clusters that it calls bad', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    await makeVolume({ ...volumeKinds.ntfs[0], access: null }, file)
    const before = rangesOf(await look(file))
    const recordAt = (index: number) => 4 * 4096 + index * 1024
    const attributeAt = (bytes: Buffer, wanted: (at: number) => boolean) => {
      let at = bytes.readUInt16LE(20)
      while (!wanted(at)) at += bytes.readUInt32LE(at + 4)
      return at
    }
    await using handle = await open(file, 'r+')
    const bitmap = Buffer.alloc(512)
    await handle.read(bitmap, 0, 512, recordAt(6))
    const dataAt = attributeAt(bitmap, (at) => bitmap.readUInt32LE(at) === 0x80)
    const run = dataAt + bitmap.readUInt16LE(dataAt + 32)
    const sizes = bitmap.readUInt8(run)
    const bitmapAt = bitmap.readUIntLE(run + 1 + (sizes & 15), sizes >>> 4) * 4096
    // Clusters 20 000 to 20 003, between holes.
    await handle.write(Buffer.from([0x0f]), 0, 1, bitmapAt + 20_000 / 8)
    const seen = () => look(file)
    const inUse = rangesOf(await seen())
    expect(inUse).toContainEqual([20_000 * 4096, 20_004 * 4096])
    const listed = await patched(
      file,
      recordAt(8),
      (bytes) => {
        const at = attributeAt(bytes, (each) => bytes.readUInt32LE(each) === 0x80 && bytes[each + 9] === 4)
        const runs = at + bytes.readUInt16LE(at + 32)
        const lengthBytes = bytes.readUInt32LE(at + 4)
        expect(bytes.readUInt32LE(at + lengthBytes)).toBe(0xffff_ffff)
        bytes.writeUInt32LE(lengthBytes + 8, at + 4)
        bytes.writeUInt32LE(bytes.readUInt32LE(24) + 8, 24)
        bytes.fill(0, runs, at + lengthBytes + 8)
        bytes.write('02204e2104204e02db1500', runs, 'hex')
        bytes.writeUInt32LE(0xffff_ffff, at + lengthBytes + 8)
      },
      seen,
    )
    expect(rangesOf(listed)).toEqual(before)
  })

  it('of exFAT are not believed when the chain of the bitmap is too short', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    // Clusters of 4 KiB: one of the bitmap tells of 128 MiB.
    const mkfs = ['mkfs.exfat', '-c', '4k']
    await makeVolume({ ...volumeKinds.exfat[0], sizeBytes: 400 * 1024 ** 2, mkfs, access: null }, file)
    await using handle = await open(file, 'r')
    const boot = Buffer.alloc(512)
    await handle.read(boot, 0, 512, 0)
    const tableAt = boot.readUInt32LE(80) * 2 ** boot.readUInt8(108)
    const seen = () => look(file)
    expect((await seen()).kind).toBe('used')
    // The bitmap has the first clusters of all.
    const short = await patched(
      file,
      tableAt,
      (bytes) => {
        expect(bytes.readUInt32LE(8)).toBe(3)
        bytes.writeUInt32LE(0xffff_ffff, 8)
      },
      seen,
    )
    expect(short).toMatchObject({ kind: 'whole', reason: 'inconsistent' })
  })

  it('are everything when the volume is cut short', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    for (const kind of [volumeKinds.ext[2], volumeKinds.fat[1], volumeKinds.exfat[0], volumeKinds.ntfs[0]]) {
      await makeVolume({ ...kind, access: null }, file)
      await truncate(file, kind.sizeBytes - 1024 * 1024)
      expect(await look(file)).toMatchObject({ kind: 'whole', reason: 'inconsistent' })
    }
  })

  it('are found or not, and nothing worse happens, when bytes of the records are others', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    let seed = 1
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return (seed >>> 8) % below
    }
    for (const [kind] of Object.values(volumeKinds)) {
      await makeVolume({ ...kind, access: null }, file)
      const { size } = await stat(file)
      const heads = [0, 512, 1024, 4096, 65_536, 65_536 + 811]
      for (let round = 0; round < 10; round++) {
        await using handle = await open(file, 'r+')
        const at = (heads[random(heads.length)] ?? 0) + random(256)
        const before = Buffer.alloc(4)
        await handle.read(before, 0, 4, at)
        await handle.write(Buffer.from([random(256), random(256), random(256), random(256)]), 0, 4, at)
        const found = await look(file)
        const ranges = found.kind === 'used' ? [...found.ranges] : []
        expect(ranges.every(([from, to]) => from < to && to <= size)).toBe(true)
        await handle.write(before, 0, 4, at)
      }
    }
  })
})
