import {
  appendFileSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  linkSync,
  lstatSync,
  chmodSync,
} from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { convertImage } from '#engine/convert'
import { openImage } from '#engine/formats/image'
import type { JobContext } from '#engine/job'
import { verifyImage } from '#engine/scan'
import { createLogger } from '#shared/log'
import { writableFormats, type ConvertRequest, type JobPhase, type WritableFormat } from '#shared/model'
import { buildFat16 } from '#test/build-fat'
import { buildUdif, runsOf, writeUdif } from '#test/build-udif'
import { diskToConvert, mapsToConvert } from '#test/disk-to-convert'
import { expandImage } from '#test/expand-image'
import { noise } from '#test/image-of-runs'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

const notUdif: readonly WritableFormat[] = ['raw', 'UDRW', 'UDSP', 'UDSB']
const udifFormats = writableFormats.filter((format) => !notUdif.includes(format))

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

interface Watched extends JobContext {
  readonly phases: JobPhase[]
  readonly done: number[]
}

function watch(signal: AbortSignal = new AbortController().signal, onAdvance = () => {}): Watched {
  const phases: JobPhase[] = []
  const done: number[] = []
  return {
    signal,
    log: createLogger(
      () => undefined,
      () => 0,
    ),
    phases,
    done,
    enter: (phase) => void phases.push(phase),
    skip: () => undefined,
    advance: (bytes) => {
      done.push(bytes)
      onAdvance()
    },
    limitedBy: () => undefined,
    stalled: () => undefined,
    streamed: () => undefined,
    changed: () => undefined,
  }
}

const convert = (
  source: string,
  format: WritableFormat,
  change: Partial<ConvertRequest> = {},
  context: JobContext = watch(),
) =>
  convertImage(
    {
      source,
      target: join(folder.path, `out.${format}`),
      format,
      level: null,
      erase: false,
      segmentBytes: null,
      encryption: null,
      ...change,
    },
    context,
  )

async function expand(path: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(await openImage(path))) pieces.push(piece)
  return Buffer.concat(pieces)
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

describe('a disk', () => {
  it.each([
    ...udifFormats.map((format) => ['mbr', format] as const),
    // All formats with all maps: test/process/engine/convert.
    ...mapsToConvert.map((map) => [map, 'UDRO'] as const),
  ])('with map %s is the same disk as %s, whole by all its checksums', async (map, format) => {
    const disk = await diskToConvert(map)
    const source = await folder.write('disk.img', disk)
    const conversion = await convert(source, format)
    const { target } = conversion
    expect(same(await expand(target), disk)).toBe(true)
    const { info, masterCheck } = await openImage(target)
    expect(info).toMatchObject({
      format,
      sizeBytes: disk.length,
      partitionMap: map,
      inOrder: true,
      segmentCount: 1,
    })
    expect(masterCheck?.stored).toBe(masterCheck?.computed)
    expect(conversion).toMatchObject({
      sizeBytes: disk.length,
      storedBytes: statSync(target).size,
      sourceStoredBytes: disk.length,
    })
    const { checked } = await verifyImage(target, watch())
    expect(checked.map(({ what }) => what)).toEqual([
      ...info.tables.map(({ name }) => name),
      `data fork of ${target}`,
      'master',
    ])
    // The tables are the whole disk, one after another.
    let next = 0
    for (const { firstSector, sectorCount } of info.tables) {
      expect(firstSector).toBe(next)
      next += sectorCount
    }
    expect(next * 512).toBe(disk.length)
    // Zeros take no room.
    expect(info.runCounts.zero).toBeGreaterThan(0)
    expect(conversion.storedBytes).toBeLessThan(format === 'UDRO' ? 8_000_000 : 2_500_000)
  })
})

describe('tables', () => {
  it.each([
    [
      'gpt',
      [
        'Protective Master Boot Record (MBR : 0)',
        'GPT Header (Primary GPT Header : 1)',
        'GPT Partition Data (Primary GPT Table : 2)',
        ' (Apple_Free : 3)',
        'EFI System Partition (EFI System : 4)',
        ' (Apple_Free : 5)',
        'Wörk (Linux filesystem : 6)',
        ' (Apple_Free : 7)',
        'GPT Partition Data (Backup GPT Table : 8)',
        'GPT Header (Backup GPT Header : 9)',
      ],
    ],
    [
      'apm',
      [
        'Driver Descriptor Map (DDM : 0)',
        'Apple (Apple_partition_map : 1)',
        ' (Apple_Free : 2)',
        'Vector (Apple_HFS : 3)',
        ' (Apple_Free : 4)',
        'Other (Apple_HFS : 5)',
        ' (Apple_Free : 6)',
      ],
    ],
    [
      'mbr',
      [
        'Master Boot Record (MBR : 0)',
        ' (Apple_Free : 1)',
        ' (Windows_FAT_32 : 2)',
        ' (Apple_Free : 3)',
        ' (Linux filesystem : 4)',
        ' (Apple_Free : 5)',
      ],
    ],
    ['none', ['whole disk (unknown partition : 0)']],
  ] as const)('of %s are called as hdiutil calls them', async (map, names) => {
    const source = await folder.write('disk.img', await diskToConvert(map))
    const { target } = await convert(source, 'UDZO')
    expect((await openImage(target)).info.tables.map(({ name }) => name)).toEqual(names)
  })
})

describe('a conversion', () => {
  it('goes from any format to any other', async () => {
    const disk = await diskToConvert('mbr')
    let source = await folder.write('disk.img', disk)
    let steps = 0
    for (const format of [...writableFormats, 'UDZO'] as const) {
      const target = join(folder.path, `step ${steps++}`)
      await convert(source, format, { target })
      source = target
    }
    expect(same(await expand(source), disk)).toBe(true)
  })

  it('of a compressed raw image of unknown size ends where the data ends, completed to a sector', async () => {
    const disk = (await diskToConvert('mbr')).subarray(0, 21_000_100)
    disk.set(noise(5000, 9), disk.length - 5000)
    const source = await folder.write('disk.img.gz', gzipSync(disk))
    for (const format of ['UDZO', 'raw'] as const) {
      const { target, sizeBytes } = await convert(source, format)
      const back = await expand(target)
      expect(sizeBytes).toBe(21_000_192)
      expect(back.length).toBe(sizeBytes)
      expect(same(back.subarray(0, disk.length), disk)).toBe(true)
    }
  })

  it('keeps unused space unused, and out of the checksums', async () => {
    const data = noise(512 * 64, 1)
    const source = writeUdif(
      folder.path,
      buildUdif({
        tables: [
          {
            runs: [
              { kind: 'raw', sectors: 64, data },
              { kind: 'ignore', sectors: 1_000_000 },
              { kind: 'raw', sectors: 64, data },
            ],
          },
        ],
      }),
    )
    const { target, sizeBytes } = await convert(source, 'ULFO')
    const { info } = await openImage(target)
    expect(sizeBytes).toBe(1_000_128 * 512)
    expect(info.runCounts.ignore).toBe(1)
    expect((await verifyImage(target, watch())).checked).toHaveLength(3)
  })

  it('to a raw image leaves zeros as holes', async () => {
    const disk = await diskToConvert('gpt')
    const source = await folder.write('disk.img', disk)
    const { target } = await convert(source, 'UDRW')
    const { size, blocks } = statSync(target)
    expect(size).toBe(disk.length)
    expect(blocks * 512).toBeLessThan(8_000_000)
    expect(same(readFileSync(target), disk)).toBe(true)
  })

  it('compresses less at a low level than at a high one', async () => {
    const source = await folder.write('disk.img', await diskToConvert('mbr'))
    const fast = await convert(source, 'UDZO', { level: 1, target: join(folder.path, 'fast') })
    const small = await convert(source, 'UDZO', { level: 9, target: join(folder.path, 'small') })
    expect(small.storedBytes).toBeLessThan(fast.storedBytes)
  })

  it('tells its phases, and bytes that only go up, to the end of the disk', async () => {
    const disk = await diskToConvert('mbr')
    const context = watch()
    await convert(await folder.write('disk.img', disk), 'UDZO', {}, context)
    expect(context.phases).toEqual(['validating-source', 'converting'])
    expect(context.done).toEqual(context.done.toSorted((a, b) => a - b))
    expect(context.done.at(-1)).toBe(disk.length)
  })

  it('names partitions whatever they are called', async () => {
    const disk = await diskToConvert('apm')
    disk.write('<&"]]>\u0001\0', 2 * 512 + 16, 'latin1')
    const { target } = await convert(await folder.write('disk.img', disk), 'UDZO')
    const { info } = await openImage(target)
    expect(info.tables[3]?.name).toBe('<&"]]>\uFFFD (Apple_HFS : 3)')
    expect(same(await expand(target), disk)).toBe(true)
  })
})

describe('a conversion that fails', () => {
  /** Nothing but these files; the target as it was. */
  const expectUntouched = (names: readonly string[], target: string | null) => {
    expect(readdirSync(folder.path).toSorted()).toEqual([...names].toSorted())
    if (target !== null) expect(readFileSync(target, 'utf8')).toBe('precious')
  }

  it('because the source contradicts its checksum leaves the old file whole and nothing else', async () => {
    const runs = [{ kind: 'zlib', sectors: 4096, data: noise(4096 * 512, 1) }] as const
    const source = writeUdif(folder.path, buildUdif({ tables: [{ runs, crc32: 0xbad }] }))
    const target = await folder.write('old', 'precious')
    await expect(convert(source, 'ULMO', { target, erase: true })).rejects.toMatchObject({
      code: 'E_SRC_CORRUPT',
    })
    expectUntouched(['image.dmg', 'old'], target)
  })

  it('because the source was changed meanwhile does not say that it is damaged', async () => {
    const runs = [{ kind: 'zlib', sectors: 4096, data: noise(4096 * 512, 1) }] as const
    const source = writeUdif(folder.path, buildUdif({ tables: [{ runs, crc32: 0xbad }] }))
    const context: JobContext = {
      ...watch(),
      enter: (phase) => {
        if (phase === 'converting') appendFileSync(source, 'more')
      },
    }
    const conversion = convert(source, 'ULMO', { target: join(folder.path, 'new') }, context)
    await expect(conversion).rejects.toMatchObject({ code: 'E_SRC_CHANGED', details: { when: 'reading' } })
    expectUntouched(['image.dmg'], null)
  })

  it('because the source is cut off in the middle leaves the old file whole', async () => {
    const source = await folder.write('disk.img.gz', gzipSync(await diskToConvert('mbr')).subarray(0, -5000))
    const target = await folder.write('old', 'precious')
    await expect(convert(source, 'UDBZ', { target, erase: true })).rejects.toMatchObject({
      code: 'E_SRC_CORRUPT',
    })
    expectUntouched(['disk.img.gz', 'old'], target)
  })

  it.each(['UDZO', 'raw', 'UDRO', 'ULMO'] as const)(
    'because it was stopped leaves the old file whole: %s',
    async (format) => {
      const source = await folder.write('disk.img', await diskToConvert('mbr'))
      const target = await folder.write('old', 'precious')
      const stop = new AbortController()
      const context = watch(stop.signal, () => stop.abort())
      await expect(convert(source, format, { target, erase: true }, context)).rejects.toThrow('aborted')
      expectUntouched(['disk.img', 'old'], target)
    },
  )

  it('because a source without checksums was written to meanwhile leaves the old file whole', async () => {
    const source = await folder.write('disk.img', await diskToConvert('mbr'))
    const target = await folder.write('old', 'precious')
    const context = watch(undefined, () => appendFileSync(source, new Uint8Array(512)))
    await expect(convert(source, 'UDZO', { target, erase: true }, context)).rejects.toMatchObject({
      code: 'E_SRC_CHANGED',
    })
    expectUntouched(['disk.img', 'old'], target)
  })

  it.each([
    ['changed', (bundle: string) => appendFileSync(join(bundle, 'bands/0'), new Uint8Array(512))],
    // Appended: cut off first, as it is when it is written anew, it may be read without its end, which is damage.
    ['new', (bundle: string) => appendFileSync(join(bundle, 'bands/1'), noise(4096, 3))],
  ])('because a sparse bundle has a %s band leaves the old file whole', async (_, change) => {
    const disk = await folder.write('disk.img', Buffer.concat([noise(4096, 1), Buffer.alloc(20 << 20)]))
    const source = join(folder.path, 'out.UDSB')
    await convert(disk, 'UDSB')
    const target = await folder.write('old', 'precious')
    const context = watch(undefined, () => change(source))
    await expect(convert(source, 'UDZO', { target, erase: true }, context)).rejects.toMatchObject({
      code: 'E_SRC_CHANGED',
    })
    expectUntouched(['disk.img', 'old', 'out.UDSB'], target)
    const verified = verifyImage(
      source,
      watch(undefined, () => change(source)),
    )
    await expect(verified).rejects.toMatchObject({ code: 'E_SRC_CHANGED' })
  })

  it('because a compressed volume ends before its file system says so', async () => {
    const { volume } = buildFat16({ sectors: 24_000, clusterSectors: 4, label: 'LABEL', files: [] })
    const source = await folder.write('disk.img.gz', gzipSync(volume.subarray(0, 8 << 20), { level: 1 }))
    const target = await folder.write('old', 'precious')
    await expect(convert(source, 'UDZO', { target, erase: true })).rejects.toMatchObject({
      code: 'E_SRC_CORRUPT',
      details: { field: 'vfat size', cutShort: true },
    })
    expectUntouched(['disk.img.gz', 'old'], target)
  })

  it('because there is a file already touches nothing', async () => {
    const source = await folder.write('disk.img', await diskToConvert('mbr'))
    const target = await folder.write('old', 'precious')
    await expect(convert(source, 'UDZO', { target })).rejects.toMatchObject({ code: 'E_DST_EXISTS' })
    expectUntouched(['disk.img', 'old'], target)
  })

  it('because a file appeared meanwhile leaves that one alone', async () => {
    const source = await folder.write('disk.img', await diskToConvert('mbr'))
    const target = join(folder.path, 'new')
    let isThere = false
    const context = watch(undefined, () => {
      if (!isThere) void writeFile(target, 'precious')
      isThere = true
    })
    await expect(convert(source, 'UDZO', { target }, context)).rejects.toMatchObject({ code: 'E_DST_EXISTS' })
    expectUntouched(['disk.img', 'new'], target)
  })

  it('because source and target are the same file, by whatever name', async () => {
    const source = await folder.write('disk.img', await diskToConvert('mbr'))
    const [soft, hard] = [join(folder.path, 'soft'), join(folder.path, 'hard')]
    symlinkSync(source, soft)
    linkSync(source, hard)
    for (const target of [source, soft, hard])
      await expect(convert(source, 'UDZO', { target, erase: true })).rejects.toMatchObject({ code: 'E_SAME' })
    expectUntouched(['disk.img', 'hard', 'soft'], null)
  })

  it.each([false, true])(
    'because the target is a link that leads nowhere, at once (erase: %s)',
    async (erase) => {
      const source = await folder.write('disk.img', await diskToConvert('mbr'))
      const target = join(folder.path, 'link')
      symlinkSync('/nowhere/at all', target)
      for (const [format, segmentBytes] of [
        ['UDZO', null],
        ['raw', null],
        ['UDSB', null],
        ['UDZO', 1 << 20],
      ] as const) {
        const context = watch()
        await expect(convert(source, format, { target, erase, segmentBytes }, context)).rejects.toMatchObject(
          {
            code: 'E_DST_KIND',
            details: { problem: `'${target}' is a link to '/nowhere/at all', which isn't there.` },
          },
        )
        expect(context.phases).toEqual(['validating-source'])
      }
      expect(lstatSync(target).isSymbolicLink()).toBe(true)
      expectUntouched(['disk.img', 'link'], null)
    },
  )

  it.each([false, true])(
    'because the target is called as a folder is, and there is none, at once (erase: %s)',
    async (erase) => {
      const source = await folder.write('disk.img', await diskToConvert('mbr'))
      await folder.write('file', 'here')
      for (const name of ['new', 'file'])
        for (const [format, segmentBytes] of [
          ['UDZO', null],
          ['raw', null],
          ['UDZO', 1 << 20],
        ] as const) {
          const target = `${join(folder.path, name)}/`
          const context = watch()
          await expect(
            convert(source, format, { target, erase, segmentBytes }, context),
          ).rejects.toMatchObject({
            code: 'E_DST_KIND',
            details: { problem: `'${target}' is the name of a folder, and there is no such folder.` },
          })
          expect(context.phases).toEqual(['validating-source'])
        }
      expectUntouched(['disk.img', 'file'], null)
    },
  )

  it('because nobody could tell later that it is a disk, at once', async () => {
    const source = await folder.write('disk.img', noise(3 * 1024 * 1024, 7))
    for (const [format, name] of [
      ['UDRW', 'out.dmg'],
      ['raw', 'out.dmg'],
      ['raw', 'out'],
    ] as const) {
      const context = watch()
      await expect(
        convert(source, format, { target: join(folder.path, name) }, context),
      ).rejects.toMatchObject({ code: 'E_UNSUPPORTED', details: { input: 'target' } })
      expect(context.done).toEqual([])
    }
    expectUntouched(['disk.img'], null)
    // Its name tells, its format, or that it begins blank.
    const blank = await folder.write('blank.img', Buffer.concat([Buffer.alloc(8192), noise(8192, 3)]))
    for (const [from, format, name] of [
      [source, 'UDRW', 'a.img'],
      [source, 'raw', 'a.dd'],
      [source, 'UDRO', 'a.dmg'],
      [blank, 'UDRW', 'b.dmg'],
    ] as const) {
      const target = join(folder.path, name)
      await convert(from, format, { target })
      expect(same(await expand(target), readFileSync(from))).toBe(true)
    }
  })

  it('because a raw image of it would be taken for one that was cut short, at once', async () => {
    // Its last partition ends behind it: as when a card was copied to one that is a little smaller.
    const disk = Buffer.from(noise(1024 * 1024, 7))
    disk.fill(0, 0, 512)
    disk.writeUInt8(0x83, 446 + 4)
    disk.writeUInt32LE(64, 446 + 8)
    disk.writeUInt32LE(2048, 446 + 12)
    disk.writeUInt16LE(0xaa55, 510)
    const built = buildUdif({ tables: [{ runs: runsOf(disk, { kind: 'raw' }) }] })
    const source = writeUdif(folder.path, built)
    for (const change of [{}, { encryption: { password: 'secret' } }])
      for (const format of ['raw', 'UDRW'] as const) {
        const context = watch()
        await expect(convert(source, format, change, context)).rejects.toMatchObject({
          code: 'E_UNSUPPORTED',
          details: { input: 'target' },
        })
        expect(context.done).toEqual([])
      }
    expectUntouched(['image.dmg'], null)
    const { target } = await convert(source, 'UDRO')
    expect(same(await expand(target), disk)).toBe(true)
  })

  it('because a raw image of it would be, as only its end shows', async () => {
    const disk = Buffer.alloc(8 * 1024 * 1024)
    disk.writeUInt8(0x83, 446 + 4)
    disk.writeUInt32LE(2048, 446 + 8)
    disk.writeUInt32LE(8 * 2048, 446 + 12)
    disk.writeUInt16LE(0xaa55, 510)
    const source = await folder.write('card.img.gz', gzipSync(disk))
    await expect(convert(source, 'raw')).rejects.toMatchObject({
      code: 'E_UNSUPPORTED',
      details: { input: 'target' },
    })
    expectUntouched(['card.img.gz'], null)
    disk.writeUInt32LE(7 * 2048, 446 + 12)
    const whole = await folder.write('whole.img.gz', gzipSync(disk))
    await convert(whole, 'raw')
  })

  it('because no file can have such a name, at once', async () => {
    const source = await folder.write('disk.img', await diskToConvert('mbr'))
    const target = join(folder.path, 'n'.repeat(300))
    for (const format of ['UDZO', 'UDSB'] as const) {
      const context = watch()
      await expect(convert(source, format, { target }, context)).rejects.toMatchObject({
        code: 'E_NOT_FOUND',
        details: { path: target, errno: 'ENAMETOOLONG' },
      })
      expect(context.phases).toEqual(['validating-source'])
    }
  })

  it('because the target is no file, or in no folder', async () => {
    const source = await folder.write('disk.img', await diskToConvert('mbr'))
    await mkdir(join(folder.path, 'sub'))
    for (const target of [join(folder.path, 'sub'), '/dev/null'])
      await expect(convert(source, 'UDZO', { target, erase: true })).rejects.toMatchObject({
        code: 'E_DST_KIND',
      })
    const target = join(folder.path, 'nowhere/x.dmg')
    await expect(convert(source, 'UDZO', { target })).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
      details: { path: join(folder.path, 'nowhere') },
    })
    expectUntouched(['disk.img', 'sub'], null)
  })

  it('because a level is asked of a format that has none, or is out of range', async () => {
    const source = await folder.write('disk.img', await diskToConvert('mbr'))
    for (const [format, level] of [
      ['raw', 1],
      ['UDZO', 0],
      ['UDZO', 2.5],
      ['ULMO', 10],
    ] as const)
      await expect(convert(source, format, { level })).rejects.toMatchObject({ code: 'E_USAGE' })
    expectUntouched(['disk.img'], null)
  })
})

it.each(['a hybrid disc', "a router's disk"])(
  'ends where %s does that is compressed, whose map says more',
  async (what) => {
    const disc = Buffer.alloc(7 << 20)
    disc.set(noise(6 << 20, 1), 1 << 20)
    if (what === 'a hybrid disc') disc.write('\x01CD001', 32_768, 'latin1')
    // A Linux partition from 1 MiB to 10 MiB.
    disc.writeUInt8(0x83, 450)
    disc.writeUInt32LE(2048, 454)
    disc.writeUInt32LE(9 * 2048, 458)
    disc.writeUInt16LE(0xaa55, 510)
    const source = await folder.write('disc.iso.gz', gzipSync(disc, { level: 1 }))
    expect(await convert(source, 'UDRO')).toMatchObject({ sizeBytes: disc.length })
    const target = join(folder.path, 'out.UDRO')
    await expect(verifyImage(target, watch())).resolves.toMatchObject({ nothingToCheck: false })
    const pieces: Uint8Array[] = []
    for await (const piece of expandImage(await openImage(target))) pieces.push(piece)
    expect(Buffer.concat(pieces).equals(disc)).toBe(true)
  },
)

describe('a file that is replaced', () => {
  it('keeps its permissions, and stays behind the link it was reached by', async () => {
    const source = await folder.write('disk.img', await diskToConvert('mbr'))
    const old = await folder.write('old', 'precious')
    chmodSync(old, 0o600)
    const target = join(folder.path, 'link')
    symlinkSync(old, target)
    await convert(source, 'UDZO', { target, erase: true })
    expect(lstatSync(target).isSymbolicLink()).toBe(true)
    expect(statSync(old).mode & 0o777).toBe(0o600)
    expect((await openImage(old)).info.format).toBe('UDZO')
  })
})
