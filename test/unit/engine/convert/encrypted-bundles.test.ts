import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { cp, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { convertImage } from '#engine/convert'
import { Keyring } from '#engine/formats/encrypted'
import { isImageLocked, openImage, unlockImage } from '#engine/formats/image'
import { verifyImage } from '#engine/scan'
import { buildFat16, buildMbrDisk } from '#test/build-fat'
import { convertForReal } from '#test/convert-for-real'
import { decryptBand } from '#test/encrypted-file'
import { expandImage } from '#test/expand-image'
import { rejectionOf } from '#test/format-errors'
import { noise } from '#test/image-of-runs'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

let folder: TemporaryFolder
let bundle: string
beforeEach(async () => {
  folder = await temporaryFolder()
  bundle = at('disk.sparsebundle')
})
afterEach(() => folder[Symbol.asyncDispose]())

const mebibyte = 1024 * 1024
const bandBytes = 8 * mebibyte
const password = 'pass wörd'
const encryption = { password }
const at = (name: string) => join(folder.path, name)
const { volume } = buildFat16({ sectors: 4300, clusterSectors: 1, label: 'LABEL', files: [] })

/** Something in the first, second and fourth band; nothing in the third. */
function disk(seed = 1): Buffer {
  const bytes = Buffer.alloc(3 * bandBytes + mebibyte + 512)
  bytes.set(buildMbrDisk({ sectors: 4400, firstSector: 64, type: 0x06, volume }))
  bytes.set(noise(70_000, seed), bandBytes + 300_032)
  bytes.set(noise(512, seed + 1), bytes.length - 512)
  return bytes
}

const write = async (bytes = disk(), pass = password, target = bundle) =>
  await convertForReal({
    source: await folder.write('disk.img', bytes),
    target,
    format: 'UDSB',
    encryption: { password: pass },
  })

async function unlocked(path = bundle, pass = password): Promise<Keyring> {
  const keyring = new Keyring()
  await unlockImage(path, pass, { keyring })
  return keyring
}

async function expand(keyring: Keyring, path = bundle): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(await openImage(path, { keyring }))) pieces.push(piece)
  return Buffer.concat(pieces)
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

describe('a sparse bundle that is written encrypted', () => {
  it('is the same disk, behind a password', async () => {
    const { storedBytes } = await write()
    expect(await isImageLocked(bundle, { keyring: new Keyring() })).toBe(true)
    const { info } = await openImage(bundle, { keyring: await unlocked() })
    expect(info).toMatchObject({
      format: 'UDSB',
      encrypted: { version: 2, bits: 256 },
      partitions: [{ label: 'LABEL' }],
      storedBytes,
    })
    expect(same(await expand(await unlocked()), disk())).toBe(true)
  })

  it('has the header alone in its token, and whole blocks in its bands, counted anew in each', async () => {
    await write()
    expect(readdirSync(bundle).sort()).toEqual(['Info.bckup', 'Info.plist', 'bands', 'token'])
    // What is zeros isn't there, and isn't noise: a band that is missing reads as zeros.
    expect(readdirSync(join(bundle, 'bands')).sort()).toEqual(['0', '1', '3'])
    const token = readFileSync(join(bundle, 'token'))
    expect(token).toHaveLength(122_368)
    expect(token.readBigUInt64BE(56)).toBe(0n)
    for (const index of [0, 1, 3]) {
      const stored = readFileSync(join(bundle, 'bands', String(index)))
      expect(stored.length % 512).toBe(0)
      const plain = decryptBand(token, stored, password)
      const expected = disk().subarray(index * bandBytes, index * bandBytes + plain.length)
      expect(same(plain, expected)).toBe(true)
      // No hole, no plain byte: each of its blocks is noise.
      for (let block = 0; block < stored.length; block += 512)
        expect(new Set(stored.subarray(block, block + 512)).size).toBeGreaterThan(150)
    }
    expect(() => decryptBand(token, token, 'another')).toThrow()
  })

  it('can hold nothing', async () => {
    await write(Buffer.alloc(10 * mebibyte))
    expect(readdirSync(join(bundle, 'bands'))).toEqual([])
    expect(same(await expand(await unlocked()), Buffer.alloc(10 * mebibyte))).toBe(true)
  })

  it('becomes any other image, and can be verified', async () => {
    await write()
    // As every verb finds it that is given the password.
    await unlockImage(bundle, password)
    await verifyImage(bundle, quietContext())
    for (const [name, format] of [
      ['a.dmg', 'UDZO'],
      ['b.sparsebundle', 'UDSB'],
    ] as const) {
      // prettier-ignore
      await convertForReal({ source: bundle, target: at(name), format })
      expect(same(await expand(new Keyring(), at(name)), disk())).toBe(true)
    }
    await convertForReal({ source: bundle, target: at('c.sparsebundle'), format: 'UDSB', encryption })
    const [one, other] = [bundle, at('c.sparsebundle')].map((path) => readFileSync(join(path, 'bands/0')))
    expect(same(one!, other!)).toBe(false)
    expect(same(await expand(await unlocked(at('c.sparsebundle')), at('c.sparsebundle')), disk())).toBe(true)
  })

  it('leaves what was there when it is given up, and nothing else', async () => {
    await write()
    const abort = new AbortController()
    const context = { ...quietContext(abort.signal), advance: () => abort.abort(new Error('enough')) }
    const request = {
      source: await folder.write('other.img', disk(50)),
      format: 'UDSB',
      level: null,
      erase: true,
      segmentBytes: null,
      encryption,
    } as const
    await expect(convertImage({ ...request, target: bundle }, context)).rejects.toThrow('enough')
    const fresh = at('fresh.sparsebundle')
    await expect(convertImage({ ...request, target: fresh }, context)).rejects.toThrow('enough')
    expect(readdirSync(folder.path).sort()).toEqual(['disk.img', 'disk.sparsebundle', 'other.img'])
    expect(same(await expand(await unlocked()), disk())).toBe(true)
  })
})

describe('an encrypted bundle', () => {
  beforeEach(() => write())

  it('is not opened by another password', async () => {
    expect(await rejectionOf(unlocked(bundle, 'Pass wörd'))).toMatchObject({ code: 'E_SRC_PASSWORD' })
    expect(await rejectionOf(openImage(bundle, { keyring: new Keyring() }))).toMatchObject({
      code: 'E_SRC_ENCRYPTED',
    })
  })

  it('without its token is damaged, not a disk of noise', async () => {
    await rm(join(bundle, 'token'))
    await expect(openImage(bundle, { keyring: new Keyring() })).rejects.toMatchObject({
      code: 'E_SRC_CORRUPT',
      details: { field: 'token', found: 'nothing' },
    })
  })

  it('with the token of another one is damaged, although the password opens that', async () => {
    const other = at('other.sparsebundle')
    await write(disk(9), password, other)
    await cp(join(other, 'token'), join(bundle, 'token'), { force: true })
    await expect(openImage(bundle, { keyring: await unlocked() })).rejects.toMatchObject({
      code: 'E_SRC_CORRUPT',
      details: { field: 'token', found: 'another' },
    })
    await write(disk(9), 'sesame', other)
    await cp(join(other, 'token'), join(bundle, 'token'), { force: true })
    expect(await rejectionOf(unlocked())).toMatchObject({ code: 'E_SRC_PASSWORD' })
  })

  it('whose token or one of whose bands is cut off is damaged', async () => {
    const keyring = await unlocked()
    await truncate(join(bundle, 'bands/1'), statSync(join(bundle, 'bands/1')).size - 100)
    expect(await rejectionOf(openImage(bundle, { keyring }))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      field: 'band',
    })
    for (const length of [4, 90, 600]) {
      await write()
      await truncate(join(bundle, 'token'), length)
      expect(await rejectionOf(openImage(bundle, { keyring }))).toMatchObject({ code: 'E_SRC_CORRUPT' })
    }
  })

  it('that lost a band reads as zeros there, as any bundle does', async () => {
    await rm(join(bundle, 'bands/1'))
    const expected = disk()
    expected.fill(0, bandBytes, 2 * bandBytes)
    expect(same(await expand(await unlocked()), expected)).toBe(true)
  })
})

it('a plain bundle without a token is one all the same, unless it is noise', async () => {
  const source = await folder.write('disk.img', disk())
  await convertForReal({ source, target: bundle, format: 'UDSB' })
  await rm(join(bundle, 'token'))
  expect(same(await expand(new Keyring()), disk())).toBe(true)

  const unknown = Buffer.alloc(mebibyte)
  unknown.write('a file system that nobody knows', 4096)
  await writeFile(source, unknown)
  await convertForReal({ source, target: bundle, format: 'UDSB' })
  await rm(join(bundle, 'token'))
  expect(existsSync(join(bundle, 'bands/0'))).toBe(true)
  expect(same(await expand(new Keyring()), unknown)).toBe(true)
})
