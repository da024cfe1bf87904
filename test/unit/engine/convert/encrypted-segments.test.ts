import { readdirSync, readFileSync, statSync } from 'node:fs'
import { cp, mkdir, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { convertImage } from '#engine/convert'
import { Keyring } from '#engine/formats/encrypted'
import { openImage, unlockImage } from '#engine/formats/image'
import { kolyStruct } from '#engine/formats/udif'
import { verifyImage } from '#engine/scan'
import type { ConvertRequest } from '#shared/model'
import { decryptPlainly } from '#test/encrypted-file'
import { expandImage } from '#test/expand-image'
import { rejectionOf } from '#test/format-errors'
import { noise } from '#test/image-of-runs'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const kibibyte = 1024
const password = 'pass wörd'
const at = (name: string) => join(folder.path, name)
const left = () => readdirSync(folder.path).sort()
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

const convert = (source: string, change: Partial<ConvertRequest> = {}, context = quietContext()) =>
  convertImage(
    {
      source,
      target: at('disk.dmg'),
      format: 'UDZO',
      level: null,
      erase: false,
      encryption: { password },
      segmentBytes: 1024 * kibibyte,
      ...change,
    },
    context,
  )

async function expand(path: string, keyring = new Keyring()): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(await openImage(path, { keyring }))) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function unlocked(path: string): Promise<Keyring> {
  const keyring = new Keyring()
  await unlockImage(path, password, { keyring })
  return keyring
}

/** 4 MiB of which the last three quarters don't shrink. */
function disk(seed: number): Buffer {
  const bytes = Buffer.alloc(4 * 1024 * kibibyte)
  bytes.writeUInt16LE(0xaa55, 510)
  bytes.set(noise(3 * 1024 * kibibyte, seed), 1024 * kibibyte)
  return bytes
}

const names = () => left().filter((name) => /^disk\.(dmg|\d+\.dmgpart)$/.test(name))

describe('an encrypted image in segments', () => {
  it.each(['UDZO', 'UDRO'] as const)('%s is the same disk, whole by all its checksums', async (format) => {
    const source = await folder.write('disk.img', disk(1))
    const conversion = await convert(source, { format })
    expect(names()).toEqual(['disk.002.dmgpart', 'disk.003.dmgpart', 'disk.004.dmgpart', 'disk.dmg'])
    const sizes = names().map((name) => statSync(at(name)).size)
    for (const size of sizes) expect(size).toBeLessThanOrEqual(1024 * kibibyte)
    expect(conversion.storedBytes).toBe(sizes.reduce((sum, size) => sum + size))
    const { info } = await openImage(at('disk.dmg'), { keyring: await unlocked(at('disk.dmg')) })
    expect(info).toMatchObject({
      format,
      segmentCount: 4,
      encrypted: { version: 2, bits: 256 },
      storedBytes: conversion.storedBytes,
    })
    expect(same(await expand(at('disk.dmg'), await unlocked(at('disk.dmg'))), disk(1))).toBe(true)
    await unlockImage(at('disk.dmg'), password)
    const { checked } = await verifyImage(at('disk.dmg'), quietContext())
    expect(checked.filter(({ what }) => what.startsWith('data fork'))).toHaveLength(4)
  })

  it('is a segmented image, each of its files encrypted with keys of its own', async () => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source)
    await mkdir(at('plain'))
    const headers = new Set<string>()
    for (const name of names()) {
      const file = readFileSync(at(name))
      headers.add(file.subarray(36, 712).toString('hex'))
      const plain = decryptPlainly(file, password)
      expect(kolyStruct.parse(plain.subarray(-512), plain.length - 512)).toMatchObject({ segmentCount: 4 })
      await folder.write(`plain/${name}`, plain)
      expect(() => decryptPlainly(file, 'another')).toThrow()
    }
    expect(headers.size).toBe(4)
    // Without any of the program's own reading of what is encrypted.
    expect(same(await expand(at('plain/disk.dmg')), disk(1))).toBe(true)
    await verifyImage(at('plain/disk.dmg'), quietContext())
  })

  it('makes room for a list that is longer than expected', async () => {
    // A run in each 128 KiB, which nobody expects.
    const spots = Buffer.alloc(64 * 1024 * kibibyte)
    spots.writeUInt16LE(0xaa55, 510)
    for (let place = 0; place < spots.length; place += 256 * kibibyte) spots.set(noise(3000, place), place)
    const source = await folder.write('spots.img', spots)
    await convert(source, { segmentBytes: 256 * kibibyte })
    const first = decryptPlainly(readFileSync(at('disk.dmg')), password)
    const { xmlOffset, xmlLength } = kolyStruct.parse(first.subarray(-512), first.length - 512)
    // The list was moved down, and nothing of what it was moved from is left.
    expect(xmlOffset + xmlLength + 512).toBe(first.length)
    expect(statSync(at('disk.dmg')).size).toBeLessThanOrEqual(256 * kibibyte)
    expect(same(await expand(at('disk.dmg'), await unlocked(at('disk.dmg'))), spots)).toBe(true)
    await unlockImage(at('disk.dmg'), password)
    await verifyImage(at('disk.dmg'), quietContext())
  })

  it('needs segments that have room for more than a header', async () => {
    const source = await folder.write('disk.img', disk(1))
    await expect(convert(source, { segmentBytes: 200 * kibibyte })).rejects.toMatchObject({
      code: 'E_USAGE',
      details: { least: 256 * kibibyte },
    })
    expect(left()).toEqual(['disk.img'])
  })

  it('leaves nothing when it is given up', async () => {
    const source = await folder.write('disk.img', disk(1))
    const abort = new AbortController()
    const context = { ...quietContext(abort.signal), advance: () => abort.abort(new Error('enough')) }
    await expect(convert(source, {}, context)).rejects.toThrow('enough')
    expect(left()).toEqual(['disk.img'])
  })

  it('is incomplete without one of its files, and refuses one of another image', async () => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source)
    const keyring = await unlocked(at('disk.dmg'))
    await convert(source, { target: at('other.dmg'), encryption: { password: 'another' } })
    await cp(at('other.002.dmgpart'), at('disk.002.dmgpart'), { force: true })
    expect(await rejectionOf(openImage(at('disk.dmg'), { keyring }))).toMatchObject({
      code: 'E_SRC_PASSWORD',
    })
    await convert(source, { target: at('other.dmg'), erase: true })
    await cp(at('other.002.dmgpart'), at('disk.002.dmgpart'), { force: true })
    expect(await rejectionOf(openImage(at('disk.dmg'), { keyring }))).toMatchObject({ code: 'E_SRC_SEGMENT' })
    await truncate(at('disk.002.dmgpart'), 300_000)
    expect(await rejectionOf(openImage(at('disk.dmg'), { keyring }))).toMatchObject({ code: 'E_SRC_CORRUPT' })
    await rm(at('disk.002.dmgpart'))
    expect(await rejectionOf(openImage(at('disk.dmg'), { keyring }))).toMatchObject({ code: 'E_SRC_SEGMENT' })
  })
})

describe('encrypted segments that are there', () => {
  const small = () => disk(2).subarray(0, 1700 * kibibyte)

  it.each([
    ['with the same password, in segments', {}],
    ['with the same password, in one file', { segmentBytes: null }],
  ])('are replaced by an image %s together with those that are not needed any more', async (_, change) => {
    const source = await folder.write('disk.img', disk(1))
    await convert(source)
    const before = names().length
    await convert(await folder.write('small.img', small()), { erase: true, ...change })
    expect(before).toBe(4)
    expect(names()).toEqual(['disk.dmg'])
    expect(same(await expand(at('disk.dmg'), await unlocked(at('disk.dmg'))), small())).toBe(true)
  })

  it.each([null, { password: 'another' }])(
    'go, too, when their password is known here',
    async (encryption) => {
      const source = await folder.write('disk.img', disk(1))
      await convert(source)
      await unlockImage(at('disk.dmg'), password)
      await convert(await folder.write('small.img', small()), { erase: true, encryption })
      expect(names()).toEqual(['disk.dmg'])
    },
  )

  it('stay when nobody can tell that they belong to what is replaced', async () => {
    const source = await folder.write('disk.img', disk(1))
    const two = { segmentBytes: 2048 * kibibyte }
    const smaller = await folder.write('small.img', small())
    await convert(source, two)
    await convert(source, { ...two, target: at('other.dmg') })
    // One of another image, encrypted with the same password.
    await cp(at('other.002.dmgpart'), at('disk.002.dmgpart'), { force: true })
    await convert(smaller, { erase: true })
    expect(names()).toEqual(['disk.002.dmgpart', 'disk.dmg'])
    // With a password that nobody here knows.
    await convert(smaller, { target: at('other.dmg'), erase: true, encryption: { password: 'another' } })
    expect(left()).toContain('other.002.dmgpart')
  })
})
