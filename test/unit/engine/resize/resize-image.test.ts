import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs'
import { chmod, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openImage, unlockImage } from '#engine/formats/image'
import { compactImage, resizeImage } from '#engine/resize'
import { DeviceError } from '#shared/errors'
import type { Disk } from '#shared/model'
import { openResizableDisk, type ResizableDisk } from '#src/main/engine/resize/resizable-disk.ts'
import { buildSprs } from '#test/build-sparse'
import { buildGptDisk } from '#test/build-gpt'
import { convertForReal } from '#test/convert-for-real'
import { diskToConvert } from '#test/disk-to-convert'
import { expandImage } from '#test/expand-image'
import { noise } from '#test/image-of-runs'
import { raid1 } from '#test/linux-raid'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const mebibyte = 1024 * 1024
const password = 'sesame'
const deps = { platform: { list: async () => [] } }
const resize = (path: string, sizeBytes: number) => resizeImage({ path, sizeBytes }, deps, quietContext())
const compact = (path: string) => compactImage(path, deps, quietContext())
const at = (name: string) => join(folder.path, name)

async function expand(path: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(await openImage(path))) pieces.push(piece)
  return Buffer.concat(pieces)
}

const kinds = ['raw', 'UDSP', 'UDSB', 'encrypted raw', 'encrypted UDSP', 'encrypted UDSB'] as const

/** The disk as an image of this kind, its password given already. */
async function imageOf(disk: Uint8Array, kind: (typeof kinds)[number]): Promise<string> {
  const source = await folder.write('disk.img', disk)
  if (kind === 'raw') return source
  const names = { raw: 'disk.dmg', UDSP: 'disk.sparseimage', UDSB: 'disk.sparsebundle' } as const
  const format = kind.endsWith('raw') ? 'raw' : kind.endsWith('UDSP') ? 'UDSP' : 'UDSB'
  const target = at(names[format])
  const isEncrypted = kind.startsWith('encrypted')
  const encryption = isEncrypted ? { password } : null
  await convertForReal({ source, target, format, encryption })
  if (isEncrypted) await unlockImage(target, password)
  return target
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

/** 20.5 MiB that nothing marks as its own, with data in its second and fifth MiB. */
function plainDisk(): Buffer {
  const disk = Buffer.alloc(20.5 * mebibyte)
  disk.set(noise(3000, 1), mebibyte + 4096)
  disk.set(noise(700, 2), 5 * mebibyte - 700)
  return disk
}

/** 6 MiB with a partition from its first to its third. */
function gptDisk(): Buffer {
  const disk = buildGptDisk({ sizeBytes: 6 * mebibyte, firstLba: 2048, lastLba: 3 * 2048 - 1 })
  disk.set(noise(2 * mebibyte, 4), mebibyte)
  return disk
}

interface MbrPartition {
  readonly firstLba: number
  readonly sectorCount: number
  readonly type?: number
}

/** Zeros behind a first sector that lists `partitions`. */
function mbrDisk(sizeBytes: number, partitions: readonly MbrPartition[]): Buffer {
  const disk = Buffer.alloc(sizeBytes)
  for (const [index, { firstLba, sectorCount, type = 0x83 }] of partitions.entries()) {
    const entry = 446 + index * 16
    disk.writeUInt8(type, entry + 4)
    disk.writeUInt32LE(firstLba, entry + 8)
    disk.writeUInt32LE(sectorCount, entry + 12)
  }
  disk.writeUInt16LE(0xaa55, 510)
  return disk
}

/** Of an ext4 of so many blocks of 4 KiB; it lies 1 KiB into the volume. */
function extSuperblock(blocks: number): Buffer {
  const block = Buffer.alloc(1024)
  block.writeUInt32LE(blocks, 4)
  block.writeUInt32LE(2, 24)
  block.writeUInt16LE(0xef53, 56)
  block.writeUInt32LE(0x40, 96)
  return block
}

const grown = (disk: Uint8Array, sizeBytes: number) =>
  Buffer.concat([disk, Buffer.alloc(Math.max(0, sizeBytes - disk.length))]).subarray(0, sizeBytes)

describe.each(kinds)('a disk without a map, as %s', (kind) => {
  it('becomes larger and smaller, and keeps its data', async () => {
    const disk = plainDisk()
    const path = await imageOf(disk, kind)
    for (const sizeBytes of [40 * mebibyte, 40 * mebibyte + 512, 7 * mebibyte, 5 * mebibyte, 9 * mebibyte]) {
      const before = (await openImage(path)).info.sizeBytes
      const resized = await resize(path, sizeBytes)
      expect(resized).toMatchObject({ path, beforeBytes: before, afterBytes: sizeBytes })
      const { info } = await openImage(path)
      expect(info.sizeBytes).toBe(sizeBytes)
      expect(resized.storedBytes).toBe(info.storedBytes)
      expect(same(await expand(path), grown(disk, sizeBytes))).toBe(true)
    }
    // Nothing else is left.
    expect(readdirSync(folder.path).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('is not cut where it holds something', async () => {
    const path = await imageOf(plainDisk(), kind)
    await expect(resize(path, 5 * mebibyte - 512)).rejects.toMatchObject({
      code: 'E_USAGE',
      details: { input: 'size', smallestBytes: 5 * mebibyte },
    })
    expect(same(await expand(path), plainDisk())).toBe(true)
  })
})

const marks: readonly [name: string, offset: number, bytes: Buffer][] = [
  ['LUKS', 0, Buffer.from('LUKS\xba\xbe', 'latin1')],
  ['an LVM physical volume', 512, Buffer.from('LABELONE')],
  ['a member of a RAID', 4096, raid1(8)],
  ['F2FS', 1024, Buffer.from('1020f5f2', 'hex')],
  ['JFS', 32_768, Buffer.from('JFS1')],
  ['UFS', 65_536 + 1372, Buffer.from('19015419', 'hex')],
  ['a boot sector without partitions', 510, Buffer.from('55aa', 'hex')],
  ['a member of a RAID that has it at its end', 20 * mebibyte - 8192, raid1(20 * 2048 - 16)],
]

describe('a disk without a map', () => {
  it.each(marks)('with %s keeps all of it: nothing tells how much that needs', async (_, offset, bytes) => {
    const disk = Buffer.alloc(20 * mebibyte)
    disk.set(bytes, offset)
    const path = await imageOf(disk, 'raw')
    await expect(resize(path, 19 * mebibyte)).rejects.toMatchObject({
      code: 'E_USAGE',
      details: { smallestBytes: disk.length, hint: expect.stringMatching(/known/) },
    })
    expect(same(readFileSync(path), disk)).toBe(true)
    await resize(path, 30 * mebibyte)
    expect(same(readFileSync(path), grown(disk, 30 * mebibyte))).toBe(true)
  })

  it('with the old superblock of a file system beside the mark of LUKS keeps all of it', async () => {
    const disk = Buffer.alloc(20 * mebibyte)
    disk.write('LUKS\xba\xbe', 0, 'latin1')
    disk.set(extSuperblock(1000), 1024)
    const path = await imageOf(disk, 'raw')
    await expect(resize(path, 10 * mebibyte)).rejects.toMatchObject({
      details: { smallestBytes: disk.length },
    })
  })

  it('that is blank, or has a file system that ends before it does, becomes smaller', async () => {
    const disk = Buffer.alloc(20 * mebibyte)
    await resize(await imageOf(disk, 'raw'), mebibyte)
    disk.set(extSuperblock(1000), 1024)
    const path = await imageOf(disk, 'raw')
    await resize(path, 4_096_000)
    expect(same(readFileSync(path), disk.subarray(0, 4_096_000))).toBe(true)
    await expect(resize(path, 4_095_488)).rejects.toMatchObject({ details: { smallestBytes: 4_096_000 } })
  })
})

describe.each(kinds)('a GPT, as %s', (kind) => {
  it('has its backup at the end again, larger and smaller', async () => {
    const disk = gptDisk()
    const path = await imageOf(disk, kind)
    const { partitions } = (await openImage(path)).info
    const last = Math.max(...partitions.map(({ offset, sizeBytes }) => offset + sizeBytes))
    for (const sizeBytes of [disk.length + 11 * mebibyte, disk.length + 512, last + 33 * 512]) {
      await resize(path, sizeBytes)
      const now = await expand(path)
      expect(now).toHaveLength(sizeBytes)
      expect(checkGpt(now)).toEqual({ copies: 2, firstSector: sizeBytes / 512 - 1 })
      // All but the map is as it was.
      expect(same(now.subarray(34 * 512, last), disk.subarray(34 * 512, last))).toBe(true)
      expect(now.subarray(last, -33 * 512).every((byte) => byte === 0)).toBe(true)
      expect((await openImage(path)).info).toMatchObject({ partitionMap: 'gpt', partitions })
    }
    await expect(resize(path, last + 32 * 512)).rejects.toMatchObject({
      details: { smallestBytes: last + 33 * 512 },
    })
  })
})

/** How many whole copies of the map there are, each naming the other, and the size in the protective entry. */
function checkGpt(disk: Buffer) {
  const lastLba = disk.length / 512 - 1
  let copies = 0
  for (const [lba, other] of [
    [1, lastLba],
    [lastLba, 1],
  ] as const) {
    const header = disk.subarray(lba * 512, lba * 512 + 92)
    const bare = Buffer.from(header)
    bare.writeUInt32LE(0, 16)
    const entries = Number(header.readBigUInt64LE(72)) * 512
    const table = disk.subarray(entries, entries + header.readUInt32LE(80) * header.readUInt32LE(84))
    expect(Number(header.readBigUInt64LE(24))).toBe(lba)
    expect(Number(header.readBigUInt64LE(32))).toBe(other)
    expect(Number(header.readBigUInt64LE(48))).toBe(lastLba - 33)
    expect(crc32(bare)).toBe(header.readUInt32LE(16))
    expect(crc32(table)).toBe(header.readUInt32LE(88))
    copies++
  }
  return { copies, firstSector: disk.readUInt32LE(446 + 12) }
}

describe('other maps', () => {
  it('MBR: nothing but the size changes, down to the end of its last partition', async () => {
    const disk = await diskToConvert('mbr')
    const path = await imageOf(disk, 'raw')
    const entries = [0, 1, 2, 3].map((index) => 446 + index * 16)
    const end = Math.max(
      ...entries.map((entry) => disk.readUInt32LE(entry + 8) + disk.readUInt32LE(entry + 12)),
    )
    // Data that no partition has lies behind the last one.
    const data = 20 * mebibyte + 512
    await expect(resize(path, end * 512)).rejects.toMatchObject({ details: { smallestBytes: data } })
    await writeFile(path, disk.fill(0, end * 512))
    await resize(path, end * 512)
    await resize(path, end * 512 + 4096)
    expect(same(await expand(path), grown(disk, end * 512 + 4096))).toBe(true)
    await expect(resize(path, end * 512 - 512)).rejects.toMatchObject({
      details: { smallestBytes: end * 512 },
    })
  })

  it('MBR that counts sectors of 4096 bytes: nothing of its partition is cut', async () => {
    const disk = mbrDisk(64 * mebibyte, [{ firstLba: 256, sectorCount: 15_000 }])
    disk.set(extSuperblock(15_000), mebibyte + 1024)
    disk[50 * mebibyte] = 1
    const path = await imageOf(disk, 'raw')
    const refusal = { code: 'E_USAGE', details: { smallestBytes: (256 + 15_000) * 4096 } }
    await expect(resize(path, 16 * mebibyte)).rejects.toMatchObject(refusal)
    expect(same(readFileSync(path), disk)).toBe(true)
    // It has whole ones of them.
    await expect(resize(path, 65 * mebibyte + 512)).rejects.toMatchObject({ code: 'E_USAGE' })
    await resize(path, (256 + 15_000) * 4096)
    await resize(path, 70 * mebibyte)
    expect(same(readFileSync(path), grown(disk, 70 * mebibyte))).toBe(true)
  })

  it('MBR with a known partition where sectors of 512 bytes have it is taken to count those', async () => {
    for (const mark of [extSuperblock(1000), Buffer.from('LUKS\xba\xbe', 'latin1')]) {
      const disk = mbrDisk(64 * mebibyte, [{ firstLba: 256, sectorCount: 15_000 }])
      disk.set(mark, 256 * 512 + (mark.length > 6 ? 1024 : 0))
      const path = await imageOf(disk, 'raw')
      await resize(path, (256 + 15_000) * 512)
      expect(same(readFileSync(path), grown(disk, (256 + 15_000) * 512))).toBe(true)
    }
  })

  it('MBR is taken to count sectors of 4096 bytes where the chain of its logical partitions begins so', async () => {
    const disk = mbrDisk(64 * mebibyte, [{ firstLba: 256, sectorCount: 1024, type: 0x0f }])
    disk.set(mbrDisk(512, [{ firstLba: 256, sectorCount: 700 }]), mebibyte)
    const path = await imageOf(disk, 'raw')
    const refusal = { details: { smallestBytes: (256 + 1024) * 4096 } }
    await expect(resize(path, mebibyte)).rejects.toMatchObject(refusal)
  })

  it("MBR that doesn't show what it counts is taken to need the larger, if the disk has it", async () => {
    const [small, large] = [1024, 15_000].map((sectorCount) =>
      mbrDisk(32 * mebibyte, [{ firstLba: 256, sectorCount }]),
    ) as [Buffer, Buffer]
    const path = await imageOf(small, 'raw')
    await expect(resize(path, mebibyte)).rejects.toMatchObject({
      details: {
        smallestBytes: (256 + 1024) * 4096,
        hint: expect.stringContaining('sectors of 512 or of 4,096 bytes'),
      },
    })
    await resize(path, (256 + 1024) * 4096)
    // Larger ones would end behind the disk.
    const other = await imageOf(large, 'raw')
    await resize(other, (256 + 15_000) * 512)
    expect(same(readFileSync(other), grown(large, (256 + 15_000) * 512))).toBe(true)
  })

  it('MBR: what lies behind its last partition is not cut either', async () => {
    const disk = mbrDisk(64 * mebibyte, [{ firstLba: 256, sectorCount: 10_000 }])
    disk.set(extSuperblock(1000), 256 * 512 + 1024)
    disk[50 * mebibyte] = 1
    const path = await imageOf(disk, 'raw')
    const refusal = { code: 'E_USAGE', details: { smallestBytes: 50 * mebibyte + 512 } }
    await expect(resize(path, 16 * mebibyte)).rejects.toMatchObject(refusal)
    expect(same(readFileSync(path), disk)).toBe(true)
    await resize(path, 50 * mebibyte + 512)
  })

  it('Apple: the free space at the end and the size of the disk follow', async () => {
    const disk = await diskToConvert('apm')
    const path = await imageOf(disk, 'UDSP')
    const { partitions } = (await openImage(path)).info
    await resize(path, disk.length + mebibyte)
    const now = await expand(path)
    expect(now.readUInt32BE(4) * now.readUInt16BE(2)).toBe(disk.length + mebibyte)
    expect((await openImage(path)).info).toMatchObject({ partitionMap: 'apm', partitions })
    // Entries differ in nothing but the length of free space.
    const changed = [...now.subarray(0, 64 * 512).entries()].filter(([place, byte]) => disk[place] !== byte)
    for (const [place] of changed) expect([4, 5, 6, 7, 12, 13, 14, 15, 84, 85, 86, 87]).toContain(place % 512)
  })

  it('that is damaged at its beginning is left alone', async () => {
    const disk = gptDisk()
    disk[512 + 60] = (disk[512 + 60] ?? 0) ^ 1
    const path = await imageOf(disk, 'raw')
    await expect(resize(path, disk.length + mebibyte)).rejects.toMatchObject({ code: 'E_SRC_CORRUPT' })
    expect(same(await expand(path), disk)).toBe(true)
  })
})

describe('a file system without a map', () => {
  it('is not cut, even where it is empty', async () => {
    const disk = await diskToConvert('none')
    const path = await imageOf(disk.fill(0, disk.length - 3000), 'UDSB')
    await expect(resize(path, disk.length - mebibyte)).rejects.toMatchObject({
      code: 'E_USAGE',
      details: { smallestBytes: disk.length },
    })
    await resize(path, disk.length + mebibyte)
    await resize(path, disk.length)
    expect(same(await expand(path), disk)).toBe(true)
  })
})

describe('resizing', () => {
  it.each([
    [0, 'nothing'],
    [1000, 'half sectors'],
    [-512, 'less than nothing'],
    [2 ** 53, 'more than can be counted'],
  ])('to %i bytes, %s, is refused', async (sizeBytes) => {
    const path = await imageOf(plainDisk(), 'raw')
    await expect(resize(path, sizeBytes)).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  it('beyond what band numbers can count leaves a sparse image as it is', async () => {
    const path = await imageOf(plainDisk(), 'UDSP')
    const before = readFileSync(path)
    await expect(resize(path, 2 ** 52)).rejects.toMatchObject({ code: 'E_USAGE', details: { input: 'size' } })
    expect(same(readFileSync(path), before)).toBe(true)
    await resize(path, 2 ** 51)
    expect((await openImage(path)).info.sizeBytes).toBe(2 ** 51)
  })

  it('is refused for images of other kinds', async () => {
    const source = await imageOf(plainDisk(), 'raw')
    const target = at('disk.dmg')
    await convertForReal({ source, target, format: 'UDRO' })
    for (const work of [() => resize(target, 40 * mebibyte), () => compact(target), () => compact(source)])
      await expect(work()).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
  })

  it('is refused while the image is attached as a disk', async () => {
    const path = await imageOf(plainDisk(), 'raw')
    const disk = { path: '/dev/loop7', bus: 'loop', backingFile: path } as unknown as Disk
    const attached = { platform: { list: async () => [disk] } }
    const work = resizeImage({ path, sizeBytes: 40 * mebibyte }, attached, quietContext())
    await expect(work).rejects.toMatchObject({ code: 'E_DST_BUSY', details: { holders: ['/dev/loop7'] } })
    expect(statSync(path).size).toBe(20.5 * mebibyte)
  })

  it('to the size it has does nothing', async () => {
    const path = await imageOf(plainDisk(), 'UDSP')
    const before = readFileSync(path)
    expect(await resize(path, 20.5 * mebibyte)).toMatchObject({
      beforeBytes: 20.5 * mebibyte,
      afterBytes: 20.5 * mebibyte,
    })
    expect(same(readFileSync(path), before)).toBe(true)
  })

  it('to the size it has is refused where the map, of a larger disk, has no room in it', async () => {
    // As those leave it who cut an image behind its last partition.
    const cut = gptDisk().subarray(0, 3 * mebibyte)
    const path = await imageOf(cut, 'raw')
    await expect(resize(path, 3 * mebibyte)).rejects.toMatchObject({
      code: 'E_USAGE',
      details: { smallestBytes: 3 * mebibyte + 33 * 512 },
    })
    expect(same(readFileSync(path), cut)).toBe(true)
    await resize(path, 3 * mebibyte + 33 * 512)
    expect(same(readFileSync(path).subarray(mebibyte, 3 * mebibyte), cut.subarray(mebibyte))).toBe(true)
  })

  it('is no larger than an Apple map can say', async () => {
    const disk = await diskToConvert('apm')
    const path = await imageOf(disk, 'raw')
    await expect(resize(path, 2 ** 41)).rejects.toMatchObject({
      code: 'E_USAGE',
      details: { largestBytes: (2 ** 32 - 1) * 512 },
    })
    expect(same(readFileSync(path), disk)).toBe(true)
  })

  it('makes new space zeros, whatever lay behind the end', async () => {
    const data = (number: number) => new Uint8Array(4096).fill(number)
    const plan = { sizeBytes: 9 * 512 + 1024, sectorsPerBand: 8, slots: [2, 1], data }
    const sprs = await folder.write('old.sparseimage', buildSprs(plan))
    await resize(sprs, 64 * 512)
    expect(same(await expand(sprs), grown(Buffer.concat([data(1), data(2)]).subarray(0, 5632), 64 * 512))).toBe(true) // prettier-ignore

    const bundle = await imageOf(plainDisk(), 'UDSB')
    await writeFile(at('disk.sparsebundle/bands/3'), noise(1000, 5))
    await writeFile(at('disk.sparsebundle/bands/2'), noise(8 * mebibyte, 6))
    const before = await expand(bundle)
    await resize(bundle, 64 * mebibyte)
    expect(same(await expand(bundle), grown(before, 64 * mebibyte))).toBe(true)
  })

  it('adds index nodes to a sparse image that has no room for a band', async () => {
    const slots = Array.from({ length: 1008 }, (_, slot) => slot + 1)
    const gpt = gptDisk()
    // The map and the first partition in the first bands of 32 KiB, something in each of the rest.
    const disk = Buffer.concat([gpt, Buffer.alloc(1008 * 32_768)]).subarray(0, 1008 * 32_768)
    const lies = noise(1008, 3)
    for (let band = 900; band < 1008; band++) disk[band * 32_768 + 5] = lies[band] ?? 1
    const path = at('full.sparseimage')
    const data = (number: number) => disk.subarray((number - 1) * 32_768, number * 32_768)
    await writeFile(path, buildSprs({ sizeBytes: disk.length, sectorsPerBand: 64, slots, data }))
    const before = statSync(path).size
    await resize(path, 3000 * 32_768)
    expect(statSync(path).size).toBe(before + 4096 + 32_768)
    const now = await expand(path)
    // Where the backup was.
    disk.fill(0, gpt.length - 33 * 512, gpt.length)
    expect(same(now.subarray(34 * 512, disk.length), disk.subarray(34 * 512))).toBe(true)
    expect(now.toString('latin1', now.length - 512, now.length - 504)).toBe('EFI PART')
  })
})

describe('stopped in the middle, a resize', () => {
  it('leaves a whole map at every write', async () => {
    const disk = gptDisk()
    const { partitions } = (await openImage(await imageOf(disk, 'raw'))).info
    for (const sizeBytes of [disk.length + 8 * mebibyte, disk.length - mebibyte])
      for (let stop = 1; stop <= 5; stop++) {
        const path = await imageOf(disk, 'UDSB')
        await resizeStoppedAt(path, sizeBytes, stop)
        expect((await openImage(path)).info).toMatchObject({ partitionMap: 'gpt', partitions })
        expect(backupOf(await expand(path))).toEqual({ signature: 'EFI PART', isSound: true })
        // And it can be done again.
        await resize(path, sizeBytes)
        expect(checkGpt(await expand(path)).copies).toBe(2)
      }
  })

  it('leaves a sparse image as it was when there is no room to write it anew', async () => {
    const path = await imageOf(plainDisk(), 'UDSP')
    const abort = new AbortController()
    const context = { ...quietContext(abort.signal), enter: (phase: string) => phase === 'resizing' && abort.abort(new Error('enough')) } // prettier-ignore
    await expect(resizeImage({ path, sizeBytes: 6 * mebibyte }, deps, context as never)).rejects.toThrow(
      'enough',
    )
    expect(same(await expand(path), plainDisk())).toBe(true)
    expect(readdirSync(folder.path).sort()).toEqual(['disk.img', 'disk.sparseimage'])
  })

  it.each(['UDSP', 'encrypted UDSP'] as const)('leaves the map of %s as it was, too', async (kind) => {
    const path = await imageOf(gptDisk(), kind)
    const before = readFileSync(path)
    const abort = new AbortController()
    const context = { ...quietContext(abort.signal), enter: (phase: string) => phase === 'resizing' && abort.abort(new Error('enough')) } // prettier-ignore
    await expect(resizeImage({ path, sizeBytes: 5 * mebibyte }, deps, context as never)).rejects.toThrow(
      'enough',
    )
    expect(same(readFileSync(path), before)).toBe(true)
    // And it can be done, with the map at the end where no band was.
    await resize(path, 5 * mebibyte)
    expect(checkGpt(await expand(path)).copies).toBe(2)
  })
})

describe.each(kinds)('a disk that becomes larger where there is no room for its map, as %s', (kind) => {
  // Little larger: the new backup goes over the old one.
  it.each([8 * mebibyte, 512])('is what it was: %i bytes more', async (moreBytes) => {
    const disk = gptDisk()
    for (const [failing, stored] of [
      [1, 0],
      [1, 1024],
      [2, 0],
      [2, 512],
    ] as const) {
      const path = await imageOf(disk, kind)
      const before = filesOf(path)
      const context = quietContext()
      const full = withFailure(failing, stored)
      const work = resizeImage({ path, sizeBytes: disk.length + moreBytes }, full, context)
      await expect(work).rejects.toMatchObject({ code: 'E_DST_FULL' })
      expect(context.wasChanged()).toBe(false)
      expect(filesOf(path)).toEqual(before)
      expect(same(await expand(path), disk)).toBe(true)
      await resize(path, disk.length + moreBytes)
      expect(checkGpt(await expand(path)).copies).toBe(2)
    }
  })

  it('is what it was when its new size fails on the way to the medium', async () => {
    const disk = gptDisk()
    const path = await imageOf(disk, kind)
    const before = filesOf(path)
    const context = quietContext()
    const openDisk = async (...args: Parameters<typeof openResizableDisk>): Promise<ResizableDisk> => {
      const opened = await openResizableDisk(...args)
      return Object.create(opened, {
        setSize: {
          async value(...how: Parameters<ResizableDisk['setSize']>) {
            await opened.setSize(...how)
            throw new DeviceError('E_DST_FULL', 'full', { details: { path } })
          },
        },
      }) as ResizableDisk
    }
    const work = resizeImage({ path, sizeBytes: disk.length + 8 * mebibyte }, { ...deps, openDisk }, context)
    await expect(work).rejects.toMatchObject({ code: 'E_DST_FULL' })
    expect(context.wasChanged()).toBe(false)
    expect(filesOf(path)).toEqual(before)
  })

  it('is told as changed when that can not be taken back, or its map was touched', async () => {
    const disk = gptDisk()
    for (const failing of [
      [2, 3],
      [3, 3],
    ]) {
      const path = await imageOf(disk, kind)
      const { partitions } = (await openImage(path)).info
      const context = quietContext()
      const full = withFailure(failing[0] ?? 0, 0, failing[1])
      const work = resizeImage({ path, sizeBytes: disk.length + 512 }, full, context)
      await expect(work).rejects.toMatchObject({ code: 'E_DST_FULL' })
      expect(context.wasChanged()).toBe(true)
      expect((await openImage(path)).info).toMatchObject({ partitionMap: 'gpt', partitions })
    }
  })
})

it('a sparse image that needs another node for its map is what it was when there is no room for that', async () => {
  const slots = Array.from({ length: 1008 }, (_, slot) => slot + 1)
  const disk = Buffer.concat([gptDisk(), Buffer.alloc(1008 * 32_768)]).subarray(0, 1008 * 32_768)
  const data = (number: number) => disk.subarray((number - 1) * 32_768, number * 32_768)
  const plan = { sizeBytes: disk.length, sectorsPerBand: 64, slots, data }
  const path = await folder.write('full.sparseimage', buildSprs(plan))
  const work = resizeImage({ path, sizeBytes: 3000 * 32_768 }, withFailure(2, 0), quietContext())
  await expect(work).rejects.toMatchObject({ code: 'E_DST_FULL' })
  expect(same(readFileSync(path), buildSprs(plan))).toBe(true)
})

/** What the image's files hold, by their names. */
const filesOf = (path: string): { readonly [name: string]: string } =>
  Object.fromEntries(
    statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ parentPath, name }) => [name, hashOf(join(parentPath, name))])
      : [['', hashOf(path)]],
  )

const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** The `first`th write to the disk, to the `last`th, stores no more than `stored` bytes: there is no room. */
function withFailure(first: number, stored: number, last = first) {
  let count = 0
  const openDisk = async (...args: Parameters<typeof openResizableDisk>): Promise<ResizableDisk> => {
    const disk = await openResizableDisk(...args)
    return Object.create(disk, {
      write: {
        async value(bytes: Uint8Array, offset: number) {
          count += 1
          if (count < first || count > last) return await disk.write(bytes, offset)
          if (stored > 0) await disk.write(bytes.subarray(0, stored), offset)
          throw new DeviceError('E_DST_FULL', 'full', { details: { path: args[0] } })
        },
      },
    }) as ResizableDisk
  }
  return { ...deps, openDisk }
}

/** The copy that the map at the beginning of the disk names. */
function backupOf(disk: Buffer) {
  const lba = Number(disk.readBigUInt64LE(512 + 32))
  const header = Buffer.from(disk.subarray(lba * 512, lba * 512 + 92))
  if (header.length < 92) return { signature: 'behind the end', isSound: false }
  const crc = header.readUInt32LE(16)
  header.writeUInt32LE(0, 16)
  return { signature: header.toString('latin1', 0, 8), isSound: crc32(header) === crc }
}

/** The `stop`th flush or change of size fails, as it does when the power goes. */
async function resizeStoppedAt(path: string, sizeBytes: number, stop: number): Promise<void> {
  let count = 0
  const orStop = () => {
    if (++count === stop) throw new Error('no power')
  }
  const openDisk = async (...args: Parameters<typeof openResizableDisk>): Promise<ResizableDisk> => {
    const disk = await openResizableDisk(...args)
    return {
      ...disk,
      sizeBytes: disk.sizeBytes,
      async flush() {
        orStop()
        await disk.flush()
      },
      async setSize(bytes, options) {
        orStop()
        await disk.setSize(bytes, options)
      },
    }
  }
  await resizeImage({ path, sizeBytes }, { ...deps, openDisk }, quietContext()).catch((error: unknown) => {
    if (!(error instanceof Error && error.message === 'no power')) throw error
  })
}

describe('compacting', () => {
  it('takes bands of zeros out of a sparse image, and leaves it alone when there are none', async () => {
    const data = (number: number) => new Uint8Array(mebibyte).fill(number === 3 ? 0 : number)
    const plan = { sizeBytes: 12 * mebibyte, sectorsPerBand: 2048, slots: [9, 3, 1, 7], data }
    const path = await folder.write('old.sparseimage', buildSprs(plan))
    await chmod(path, 0o600)
    const disk = await expand(path)
    const sizes = { beforeBytes: 12 * mebibyte, afterBytes: 12 * mebibyte }
    expect(await compact(path)).toMatchObject({
      ...sizes,
      storedBeforeBytes: 4096 + 4 * mebibyte,
      storedBytes: 4096 + 3 * mebibyte,
    })
    expect(same(await expand(path), disk)).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const { ino } = statSync(path)
    expect(await compact(path)).toMatchObject({ storedBeforeBytes: 4096 + 3 * mebibyte, storedBytes: 4096 + 3 * mebibyte }) // prettier-ignore
    expect(statSync(path).ino).toBe(ino)
  })

  it('gives up when somebody else writes the image meanwhile, which stays theirs', async () => {
    const data = (number: number) => new Uint8Array(mebibyte).fill(number % 2)
    const slots = [1, 2, 3, 4]
    const plan = { sizeBytes: 4 * mebibyte, sectorsPerBand: 2048, slots, data }
    const path = await folder.write('old.sparseimage', buildSprs(plan))
    const context = { ...quietContext(), advance: () => utimesSync(path, 1, 1) }
    await expect(compactImage(path, deps, context)).rejects.toMatchObject({ code: 'E_DST_BUSY' })
    expect(same(readFileSync(path), buildSprs(plan))).toBe(true)
    expect(readdirSync(folder.path)).toEqual(['old.sparseimage'])
  })

  it('tells of a bundle whether anything was taken out when it is stopped', async () => {
    const bundle = await imageOf(plainDisk(), 'UDSB')
    await writeFile(join(bundle, 'bands/0'), noise(8 * mebibyte, 3))
    await writeFile(join(bundle, 'bands/1'), Buffer.alloc(8 * mebibyte))
    const before = await expand(bundle)
    for (const [after, isChanged] of [
      [0, false],
      [8 * mebibyte, true],
    ] as const) {
      const stop = new AbortController()
      const advance = (doneBytes: number) => {
        if (doneBytes > after) stop.abort(new Error('enough'))
      }
      const context = quietContext(stop.signal)
      const work = compactImage(bundle, deps, { ...context, advance })
      await expect(work).rejects.toThrow('enough')
      expect(context.wasChanged()).toBe(isChanged)
      expect(existsSync(join(bundle, 'bands/1'))).toBe(!isChanged)
      expect(same(await expand(bundle), before)).toBe(true)
      await writeFile(join(bundle, 'bands/2'), noise(4.5 * mebibyte, 4))
      before.set(noise(4.5 * mebibyte, 4), 16 * mebibyte)
    }
  })

  it('takes bands of zeros, and zeros at the ends of bands, out of a bundle', async () => {
    const disk = Buffer.concat([plainDisk(), noise(8 * mebibyte, 9)])
    const bundle = await imageOf(disk, 'UDSB')
    await writeFile(join(bundle, 'bands/1'), Buffer.alloc(8 * mebibyte))
    await truncate(join(bundle, 'bands/0'), 8 * mebibyte)
    await writeFile(join(bundle, 'bands/77'), noise(5000, 1))
    const before = await expand(bundle)
    const { storedBytes, storedBeforeBytes } = await compact(bundle)
    expect(storedBytes).toBeLessThan(storedBeforeBytes - 11 * mebibyte)
    expect(existsSync(join(bundle, 'bands/1'))).toBe(false)
    expect(existsSync(join(bundle, 'bands/77'))).toBe(false)
    expect(statSync(join(bundle, 'bands/0')).size).toBe(5 * mebibyte)
    expect(same(await expand(bundle), before)).toBe(true)
  })
})
