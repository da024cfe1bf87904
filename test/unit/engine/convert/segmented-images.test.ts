import { readdirSync, readFileSync, statSync } from 'node:fs'
import { chmod, cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { convertImage } from '#engine/convert'
import { openImage } from '#engine/formats/image'
import { kolyStruct } from '#engine/formats/udif'
import { verifyImage } from '#engine/scan'
import type { ConvertRequest } from '#shared/model'
import { expandImage } from '#test/expand-image'
import { noise } from '#test/image-of-runs'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const kibibyte = 1024
const at = (name: string) => join(folder.path, name)
const left = () => readdirSync(folder.path).sort()

const convert = (source: string, change: Partial<ConvertRequest> = {}, context = quietContext()) =>
  convertImage(
    {
      source,
      target: at('disk.dmg'),
      format: 'UDZO',
      level: null,
      erase: false,
      encryption: null,
      segmentBytes: 512 * kibibyte,
      ...change,
    },
    context,
  )

async function expand(path: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(await openImage(path))) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** 4 MiB of which the last three quarters don't shrink. */
function disk(seed: number): Buffer {
  const bytes = Buffer.alloc(4 * 1024 * kibibyte)
  bytes.writeUInt16LE(0xaa55, 510)
  bytes.set(noise(3 * 1024 * kibibyte, seed), 1024 * kibibyte)
  return bytes
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

function kolyOf(name: string) {
  const bytes = readFileSync(at(name))
  return kolyStruct.parse(bytes.subarray(-512), bytes.length - 512)
}

describe('an image in segments', () => {
  it.each(['UDZO', 'UDRO'] as const)('%s is the same disk, whole by all its checksums', async (format) => {
    const source = await folder.write('disk.img', disk(1))
    const conversion = await convert(source, { format })
    const names = left().filter((name) => name !== 'disk.img')
    expect(names).toEqual([
      ...['002', '003', '004', '005', '006', '007'].map((number) => `disk.${number}.dmgpart`),
      'disk.dmg',
    ])
    const sizes = names.map((name) => statSync(at(name)).size)
    for (const size of sizes) expect(size).toBeLessThanOrEqual(512 * kibibyte)
    expect(conversion.storedBytes).toBe(sizes.reduce((sum, size) => sum + size))
    const { info } = await openImage(at('disk.dmg'))
    expect(info).toMatchObject({ format, segmentCount: 7, storedBytes: conversion.storedBytes })
    expect(same(await expand(at('disk.dmg')), disk(1))).toBe(true)
    const { checked } = await verifyImage(at('disk.dmg'), quietContext())
    expect(checked.filter(({ what }) => what.startsWith('data fork'))).toHaveLength(7)
  })

  it('has a trailer in each, and its list in the first', async () => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source)
    const names = ['disk.dmg', 'disk.002.dmgpart', 'disk.003.dmgpart', 'disk.004.dmgpart']
    let running = 0
    for (const [index, name] of names.entries()) {
      const koly = kolyOf(name)
      expect(koly).toMatchObject({
        segmentNumber: index + 1,
        segmentCount: 7,
        segmentID: kolyOf('disk.dmg').segmentID,
        runningDataForkOffset: running,
        dataForkOffset: 0,
      })
      expect(koly.xmlLength > 0).toBe(index === 0)
      running += koly.dataForkLength
    }
  })

  it('that fits into one is one file', async () => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source, { segmentBytes: 10 * 1024 * kibibyte })
    expect(left()).toEqual(['disk.dmg', 'disk.img'])
    expect((await openImage(at('disk.dmg'))).info.segmentCount).toBe(1)
    expect(same(await expand(at('disk.dmg')), disk(1))).toBe(true)
  })

  it('makes room for a list that is longer than expected', async () => {
    // A run in each 128 KiB, which nobody expects.
    const spots = Buffer.alloc(64 * 1024 * kibibyte)
    spots.writeUInt16LE(0xaa55, 510)
    for (let place = 0; place < spots.length; place += 256 * kibibyte) spots.set(noise(3000, place), place)
    const source = await folder.write('spots.img', spots)
    await convert(source, { segmentBytes: 128 * kibibyte })
    const { xmlLength, dataForkLength } = kolyOf('disk.dmg')
    expect(dataForkLength + xmlLength + 512).toBe(128 * kibibyte)
    expect(same(await expand(at('disk.dmg')), spots)).toBe(true)
    await verifyImage(at('disk.dmg'), quietContext())
    expect(Math.max(...left().filter((name) => name !== 'spots.img').map((name) => statSync(at(name)).size))).toBe(128 * kibibyte) // prettier-ignore
  })
})

describe('segments that are there', () => {
  it('are replaced together with those that are not needed any more', async () => {
    const first = await folder.write('first.img', disk(1))
    await convert(first, { segmentBytes: 256 * kibibyte })
    const small = await folder.write('small.img', disk(2).subarray(0, 1700 * kibibyte))
    await convert(small, { erase: true })
    expect(left()).toEqual(['disk.002.dmgpart', 'disk.dmg', 'first.img', 'small.img'])
    expect(same(await expand(at('disk.dmg')), disk(2).subarray(0, 1700 * kibibyte))).toBe(true)
  })

  it('go when an image in one file takes their place', async () => {
    await writeFile(at('disk.img'), disk(1))
    await convert(at('disk.img'))
    await writeFile(at('stray.002.dmgpart'), 'mine')
    await convert(at('disk.img'), { erase: true, segmentBytes: null })
    expect(left()).toEqual(['disk.dmg', 'disk.img', 'stray.002.dmgpart'])
    expect(same(await expand(at('disk.dmg')), disk(1))).toBe(true)
  })

  it('stay where the number in a file is another than that in its name', async () => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source)
    await rename(at('disk.006.dmgpart'), at('disk.003.dmgpart'))
    await convert(source, { erase: true, segmentBytes: null })
    expect(left().filter((name) => name.endsWith('part'))).toEqual(
      ['003', '004', '005', '007'].map((number) => `disk.${number}.dmgpart`),
    )
  })

  it('are not replaced without being asked, nor is a stray part', async () => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source)
    const before = left()
    await expect(convert(source)).rejects.toMatchObject({ code: 'E_DST_EXISTS' })
    expect(left()).toEqual(before)
    await rm(at('disk.dmg'))
    await expect(convert(source)).rejects.toMatchObject({ code: 'E_DST_EXISTS' })
    await rm(at('disk.002.dmgpart'))
    await expect(convert(source)).rejects.toMatchObject({ code: 'E_DST_EXISTS' })
    expect(left().filter((name) => name.startsWith('.'))).toEqual([])
  })

  it.each([
    ['the second', 2, ''],
    ['the second, and nothing has the name of the first', 2, 'none'],
    ['the last', 7, ''],
  ] as const)('are not replaced where %s is of another image', async (_, number, first) => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source)
    await convert(await folder.write('other.img', disk(2)), { target: at('other.dmg') })
    const name = `disk.00${number}.dmgpart`
    await cp(at(`other.00${number}.dmgpart`), at(name), { force: true })
    if (first === 'none') await rm(at('disk.dmg'))
    const before = left()
    const bytes = readFileSync(at(name))
    await expect(convert(source, { erase: true })).rejects.toMatchObject({
      code: 'E_DST_KIND',
      details: { path: at(name), problem: `'${at(name)}' is a segment of another image.` },
    })
    expect(left()).toEqual(before)
    expect(same(readFileSync(at(name)), bytes)).toBe(true)
    // What takes none of those names has nothing to do with it.
    await convert(source, { erase: true, segmentBytes: null })
    expect(same(readFileSync(at(name)), bytes)).toBe(true)
  })

  it('stay when the conversion is stopped or one of the names is taken by a folder', async () => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source)
    await rm(at('disk.005.dmgpart'))
    await rename(at('disk.004.dmgpart'), at('kept'))
    await mkdir(at('disk.004.dmgpart'))
    await writeFile(at('disk.004.dmgpart/inside'), 'x')
    const before = left()
    const abort = new AbortController()
    const context = { ...quietContext(abort.signal), advance: () => abort.abort(new Error('enough')) }
    await expect(convert(source, { erase: true }, context)).rejects.toThrow('enough')
    expect(left()).toEqual(before)
    // A folder isn't removed, whatever its name.
    await convert(source, { erase: true })
    expect(same(await expand(at('disk.dmg')), disk(1))).toBe(true)
    expect(readFileSync(at('.disk.004.dmgpart.reprise-old/inside'), 'utf8')).toBe('x')
  })

  it('that were being replaced when the machine stopped come back', async () => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source)
    const names = left().filter((name) => name.startsWith('disk.') && name !== 'disk.img')
    for (const name of names) await rename(at(name), at(`.${name}.reprise-old`))
    await expect(convert(source)).rejects.toMatchObject({ code: 'E_DST_EXISTS' })
    expect(left()).toEqual([...names, 'disk.img'].sort())
    expect(same(await expand(at('disk.dmg')), disk(1))).toBe(true)
  })

  it('that were being replaced more than once when the machine stopped come back as they were last', async () => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source)
    const names = left().filter((name) => name.startsWith('disk.') && name !== 'disk.img')
    for (const name of names) await rename(at(name), at(`.${name}.reprise-old-2`))
    // Of the first a part is left: the others were removed.
    await folder.write('.disk.003.dmgpart.reprise-old', 'an old one')
    await folder.write('.disk.dmg.reprise-old', 'an old one')
    await expect(convert(source)).rejects.toMatchObject({ code: 'E_DST_EXISTS' })
    expect(same(await expand(at('disk.dmg')), disk(1))).toBe(true)
  })

  it("are read by nobody else while they replace somebody's, and get its permissions", async () => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source)
    await chmod(at('disk.dmg'), 0o640)
    const seen = new Set<number>()
    const look = () => {
      for (const name of left()) if (name.endsWith('.part')) seen.add(statSync(at(name)).mode & 0o777)
    }
    await convert(source, { erase: true }, { ...quietContext(), advance: look })
    expect([...seen]).toEqual([0o600])
    const segments = left().filter((name) => name.startsWith('disk.') && name !== 'disk.img')
    expect(segments.map((name) => statSync(at(name)).mode & 0o777)).toEqual(segments.map(() => 0o640))
  })

  it('that come back leave what an image of a longer name has beside it', async () => {
    const source = await folder.write('disk.img', disk(1))
    await folder.write('.disk.dmg.reprise-old', 'an old one')
    const others = ['disk.v2.dmg', '.disk.v2.dmg.reprise-old', '.disk.v2.002.dmgpart.reprise-old']
    for (const name of others) await folder.write(name, name)
    await convert(source, { erase: true })
    expect(others.map((name) => readFileSync(at(name), 'utf8'))).toEqual(others)
    expect(left()).not.toContain('.disk.dmg.reprise-old')
  })
})

describe('segments', () => {
  it.each([
    [{ segmentBytes: 1000 }, 'E_USAGE'],
    [{ format: 'raw' }, 'E_UNSUPPORTED'],
    [{ format: 'UDSP' }, 'E_UNSUPPORTED'],
    [{ format: 'UDSB' }, 'E_UNSUPPORTED'],
  ] as const)('%j are refused', async (change, code) => {
    const source = await folder.write('disk.img', disk(1))
    await expect(convert(source, change)).rejects.toMatchObject({ code })
    expect(left()).toEqual(['disk.img'])
  })

  it('are refused where the list alone is longer than one', async () => {
    const spots = Buffer.alloc(400 * 1024 * kibibyte)
    spots.writeUInt16LE(0xaa55, 510)
    for (let place = 0; place < spots.length; place += 256 * kibibyte) spots.set(noise(200, place), place)
    const source = await folder.write('spots.img', spots)
    await expect(convert(source, { segmentBytes: 128 * kibibyte })).rejects.toMatchObject({ code: 'E_USAGE' })
    expect(left()).toEqual(['spots.img'])
  })

  it('of the source are not written over', async () => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source)
    await rename(at('disk.dmg'), at('disk.DMG'))
    await expect(convert(at('disk.DMG'), { erase: true })).rejects.toMatchObject({ code: 'E_SAME' })
  })

  it('of the source are not written over by way of another name of its folder', async () => {
    await mkdir(at('data'))
    await symlink(at('data'), at('link'))
    await convert(await folder.write('disk.img', disk(1)), { target: at('data/disk.dmg') })
    // Without its ending, the target is no file of the source's by any name.
    const change = { target: at('data/disk'), erase: true }
    await expect(convert(at('link/disk.dmg'), change)).rejects.toMatchObject({ code: 'E_SAME' })
    expect(same(await expand(at('data/disk.dmg')), disk(1))).toBe(true)
  })
})
