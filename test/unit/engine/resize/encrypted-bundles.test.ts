import { existsSync, readFileSync, statSync } from 'node:fs'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openImage, readBandCipher, unlockImage } from '#engine/formats/image'
import { SparseBundleEditor } from '#engine/formats/sparse'
import { compactImage, resizeImage } from '#engine/resize'
import { buildBundle, bundleDict, plistOf } from '#test/build-sparse'
import { decryptBand, encryptBlocks, headerV2, type EncryptOptions } from '#test/encrypted-file'
import { expandImage } from '#test/expand-image'
import { noise } from '#test/image-of-runs'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

let folder: TemporaryFolder
let path: string
beforeEach(async () => {
  folder = await temporaryFolder()
  path = join(folder.path, 'a.sparsebundle')
})
afterEach(() => folder[Symbol.asyncDispose]())

const password = 'sesame'
const bandBytes = 64 * 1024
const deps = { platform: { list: async () => [] } }
const resize = (sizeBytes: number) => resizeImage({ path, sizeBytes }, deps, quietContext())
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0
const bandPath = (index: number) => join(path, 'bands', index.toString(16))

async function expand(): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(await openImage(path))) pieces.push(piece)
  return Buffer.concat(pieces)
}

interface Plan extends Omit<EncryptOptions, 'password'> {
  readonly blockBytes: number
  readonly sizeBytes: number
  readonly bands: { readonly [name: string]: Uint8Array }
  readonly counted?: 'band' | 'disk'
}

/** As others write it: blocks of any size, counted either way. Its password is given. */
async function build({ sizeBytes, bands, blockBytes, counted = 'band', ...rest }: Plan): Promise<void> {
  const options: EncryptOptions = { password, blockBytes, ...rest }
  const stored = Object.entries(bands).map(([name, bytes]) => {
    const first = counted === 'disk' ? (Number.parseInt(name, 16) * bandBytes) / blockBytes : 0
    return [name, encryptBlocks(bytes, options, blockBytes, first)] as const
  })
  const token = headerV2(0, options)
  await buildBundle(path, { sizeBytes, bandBytes, bands: Object.fromEntries(stored), token })
  await unlockImage(path, password)
}

/** Of a disk without a map, and not of noise: what seems to be an XFS says that it needs two sectors. */
function head(lengthBytes: number, seed: number): Buffer {
  const bytes = Buffer.from(noise(lengthBytes, seed))
  bytes.write('XFSB', 0, 'latin1')
  bytes.writeUInt32BE(512, 4)
  bytes.writeBigUInt64BE(2n, 8)
  bytes.writeUInt16LE(0xaa55, 510)
  return bytes
}

describe.each([512, 4096])('an encrypted bundle with blocks of %i bytes', (blockBytes) => {
  it('that becomes larger has zeros there, whatever lay behind its end', async () => {
    // Band 1 goes on behind the end of the disk, in the middle of a block of 4096; band 2 isn't of it any more.
    const sizeBytes = bandBytes + 10 * 512
    const bands = { 0: head(bandBytes, 1), 1: noise(bandBytes, 2), 2: noise(bandBytes, 3) }
    await build({ blockBytes, sizeBytes, bands, seed: blockBytes })
    const before = await expand()
    for (const larger of [bandBytes + 11 * 512, 3 * bandBytes + 512]) {
      await resize(larger)
      const now = await expand()
      expect(now).toHaveLength(larger)
      expect(same(now.subarray(0, sizeBytes), before)).toBe(true)
      expect(now.subarray(sizeBytes).every((byte) => byte === 0)).toBe(true)
    }
    expect(existsSync(bandPath(2))).toBe(false)
  })

  it('that becomes smaller and larger again keeps nothing of what was cut off', async () => {
    // Behind its file system what isn't zeros stays, so zeros are cut.
    const contents = Buffer.alloc(bandBytes)
    contents.set(head(700, 1))
    await build({ blockBytes, sizeBytes: bandBytes, bands: { 0: contents }, seed: blockBytes + 1 })
    const data = Buffer.concat([contents.subarray(0, 700), Buffer.alloc(324)])
    await resize(1024)
    expect(statSync(bandPath(0)).size).toBe(Math.ceil(1024 / blockBytes) * blockBytes)
    await resize(bandBytes)
    expect(same(await expand(), Buffer.concat([data, Buffer.alloc(bandBytes - 1024)]))).toBe(true)
  })

  it('is compacted: bands of zeros go, and zeros at the end of bands', async () => {
    const first = Buffer.alloc(bandBytes)
    first.set(head(5000, 1))
    const bands = { 0: first, 1: Buffer.alloc(bandBytes), 3: noise(bandBytes, 4), 9: noise(600, 2) }
    await build({ blockBytes, sizeBytes: 4 * bandBytes, bands, seed: blockBytes + 2 })
    const before = await expand()
    const { storedBytes, storedBeforeBytes } = await compactImage(path, deps, quietContext())
    expect(storedBytes).toBeLessThan(storedBeforeBytes - bandBytes)
    expect([1, 9].filter((index) => existsSync(bandPath(index)))).toEqual([])
    expect(statSync(bandPath(0)).size).toBe(8192)
    expect(same(await expand(), before)).toBe(true)
  })
})

it('is changed the way its blocks are counted', async () => {
  const zeros = Buffer.alloc(bandBytes)
  zeros.set(noise(512, 1), 1024)
  const bands = { 0: head(bandBytes, 1), 2: zeros }
  await build({ blockBytes: 512, sizeBytes: 3 * bandBytes, bands, counted: 'disk', seed: 70 })
  const before = await expand()
  await resize(2 * bandBytes + 2048)
  await resize(5 * bandBytes)
  expect(same(await expand(), Buffer.concat([before, Buffer.alloc(2 * bandBytes)]))).toBe(true)
})

it('is refused while nobody gave its password, and as damaged when a band is cut off', async () => {
  const options = { password, seed: 90 }
  const bands = { 0: encryptBlocks(head(bandBytes, 1), options, 512) }
  await buildBundle(path, { sizeBytes: 4 * bandBytes, bandBytes, bands, token: headerV2(0, options) })
  for (const work of [() => resize(8 * bandBytes), () => compactImage(path, deps, quietContext())])
    await expect(work()).rejects.toMatchObject({ code: 'E_SRC_ENCRYPTED' })
  await unlockImage(path, password)
  await truncate(bandPath(0), 5000)
  const left = readFileSync(bandPath(0))
  await expect(resize(8 * bandBytes)).rejects.toMatchObject({ code: 'E_SRC_CORRUPT' })
  expect(same(readFileSync(bandPath(0)), left)).toBe(true)
})

it('has no hole where something is written far into a band', async () => {
  // The backup of a map is written to the end of the last band; what is before it in the band must be zeros.
  const options = { password, seed: 110 }
  await build({ blockBytes: 512, sizeBytes: 4096, bands: { 0: head(4096, 1) }, seed: 110 })
  await writeFile(join(path, 'Info.plist'), plistOf(bundleDict(2 * bandBytes, bandBytes)))
  const editor = await SparseBundleEditor.open(path, await readBandCipher(path))
  await editor.write(noise(1000, 7), 2 * bandBytes - 1000)
  await editor.write(new Uint8Array(512), bandBytes)
  await editor.write(noise(100, 8), 4000)
  await editor.flush()
  const plain = decryptBand(headerV2(0, options), readFileSync(bandPath(1)), password)
  const expected = Buffer.alloc(bandBytes)
  expected.set(noise(1000, 7), bandBytes - 1000)
  expect(same(plain, expected)).toBe(true)
  const disk = Buffer.concat([head(4096, 1), Buffer.alloc(bandBytes - 4096), expected])
  disk.set(noise(100, 8), 4000)
  expect(same(await expand(), disk)).toBe(true)
  expect(same(Buffer.from(await editor.read(3990, 200)), disk.subarray(3990, 4190))).toBe(true)
})
