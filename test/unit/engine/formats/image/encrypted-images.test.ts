import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Keyring } from '#engine/formats/encrypted'
import { isImageLocked, openImage, unlockImage } from '#engine/formats/image'
import { buildFat16, buildMbrDisk } from '#test/build-fat'
import { buildSprs, bundleDict } from '#test/build-sparse'
import { buildUdif, writeUdif } from '#test/build-udif'
import { encryptBlocks, encryptedV1, encryptedV2, headerV2, type EncryptOptions } from '#test/encrypted-file'
import { expandImage } from '#test/expand-image'
import { rejectionOf } from '#test/format-errors'
import { noise } from '#test/image-of-runs'
import { recomputeChecks, recomputeStoredChecks } from '#test/recompute-checks'
import { temporaryFolder } from '#test/temporary-folder'

const password = 'sesame'
const { volume } = buildFat16({ sectors: 4300, clusterSectors: 1, label: 'LABEL', files: [] })
const disk = buildMbrDisk({ sectors: 4400, firstSector: 64, type: 0x06, volume })

async function expanded(path: string, keyring: Keyring): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(await openImage(path, { keyring }))) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** A keyring that has the keys of the image at `path`. */
async function unlocked(path: string): Promise<Keyring> {
  const keyring = new Keyring()
  await unlockImage(path, password, { keyring })
  return keyring
}

describe('an encrypted image', () => {
  it.each([
    ['version 2', encryptedV2, 2, 256],
    ['version 1', encryptedV1, 1, 128],
  ] as const)('that holds a raw disk is one, %s', async (_, encrypt, version, bits) => {
    await using folder = await temporaryFolder()
    const path = await folder.write('a.dmg', encrypt(disk, { password }))
    expect(await rejectionOf(openImage(path, { keyring: new Keyring() }))).toMatchObject({
      code: 'E_SRC_ENCRYPTED',
    })
    const keyring = await unlocked(path)
    const { info } = await openImage(path, { keyring })
    expect(info).toMatchObject({ format: 'UDRW', encrypted: { version, bits }, sizeBytes: disk.length })
    expect(info.partitions).toMatchObject([{ label: 'LABEL' }])
    expect(info.storedBytes).toBe((await readFile(path)).length)
    expect(Buffer.compare(await expanded(path, keyring), disk)).toBe(0)
  })

  it('is one whatever is on the disk, and whatever it is called', async () => {
    await using folder = await temporaryFolder()
    const path = await folder.write('secret', encryptedV2(noise(2048, 1), { password }))
    const { info } = await openImage(path, { keyring: await unlocked(path) })
    expect(info).toMatchObject({ format: 'raw', sizeBytes: 2048, partitions: [] })
  })

  it.each([encryptedV1, encryptedV2])(
    'is no disk to be restored when it is encrypted twice',
    async (encrypt) => {
      await using folder = await temporaryFolder()
      const inner = encrypt(disk, { password, seed: 40 })
      const path = await folder.write('a.dmg', encryptedV2(inner, { password, seed: 41 }))
      const failure = { code: 'E_SRC_FORMAT', details: { found: 'an encrypted image inside another one' } }
      await expect(openImage(path, { keyring: await unlocked(path) })).rejects.toMatchObject(failure)
    },
  )

  it('that holds a sparse image is one', async () => {
    await using folder = await temporaryFolder()
    const sparse = buildSprs({
      sizeBytes: 32_768,
      sectorsPerBand: 16,
      slots: [3, 1],
      data: (band) => noise(8192, band),
    })
    const path = await folder.write('a.sparseimage', encryptedV2(sparse, { password, blockBytes: 4096 }))
    const keyring = await unlocked(path)
    expect((await openImage(path, { keyring })).info).toMatchObject({
      format: 'UDSP',
      encrypted: { bits: 256 },
    })
    const expected = Buffer.alloc(32_768)
    expected.set(noise(8192, 1), 0)
    expected.set(noise(8192, 3), 16_384)
    expect(Buffer.compare(await expanded(path, keyring), expected)).toBe(0)
  })

  it('of several segments is opened by one password, though each has its own keys', async () => {
    await using folder = await temporaryFolder()
    const built = buildUdif({
      tables: [{ name: 'whole disk (unknown : 0)', runs: [{ kind: 'raw', sectors: 4400, data: disk }] }],
      segments: 3,
    })
    const path = writeUdif(folder.path, built, 'a')
    for (const [index, { suffix, bytes }] of built.files.entries())
      await folder.write(`a${suffix}`, encryptedV2(bytes, { password, seed: 10 * (index + 1) }))
    expect(await rejectionOf(openImage(path, { keyring: new Keyring() }))).toMatchObject({
      code: 'E_SRC_ENCRYPTED',
    })
    const keyring = await unlocked(path)
    const { info, layout } = await openImage(path, { keyring })
    expect(info).toMatchObject({ format: 'UDRO', segmentCount: 3 })
    expect(Buffer.compare(await expanded(path, keyring), disk)).toBe(0)
    if (layout.kind !== 'extents') throw new Error('no extents')
    expect(await recomputeChecks(layout)).toEqual(layout.checks.map(({ crc32 }) => crc32))
    expect(await recomputeStoredChecks(layout)).toEqual(layout.storedChecks.map(({ crc32 }) => crc32))

    const [, second] = built.files
    await folder.write(`a${second!.suffix}`, encryptedV2(second!.bytes, { password: 'another', seed: 20 }))
    expect(await rejectionOf(openImage(path, { keyring: await unlocked(path) }))).toMatchObject({
      code: 'E_SRC_PASSWORD',
    })
  })

  it('is locked again when another one is at its place, and open at another place', async () => {
    await using folder = await temporaryFolder()
    const path = await folder.write('a.dmg', encryptedV2(disk, { password, seed: 10 }))
    const keyring = await unlocked(path)
    expect(await isImageLocked(path, { keyring })).toBe(false)
    const copy = await folder.write('b.dmg', await readFile(path))
    expect(await isImageLocked(copy, { keyring })).toBe(false)
    // Over the old one: the same path, the same inode.
    await writeFile(path, encryptedV2(disk, { password, seed: 40 }))
    expect(await isImageLocked(path, { keyring })).toBe(true)
    expect(await rejectionOf(openImage(path, { keyring }))).toMatchObject({ code: 'E_SRC_ENCRYPTED' })
  })

  it('cannot be told to be locked when it is none', async () => {
    await using folder = await temporaryFolder()
    const path = await folder.write('a.dmg', disk)
    for (const each of [path, folder.path, join(folder.path, 'nothing'), join(path, 'nothing')])
      expect(await isImageLocked(each, { keyring: new Keyring() })).toBe(false)
    expect(await rejectionOf(unlockImage(path, password, { keyring: new Keyring() }))).toMatchObject({
      code: 'E_SRC_FORMAT',
      field: 'kind',
    })
  })
})

describe('an encrypted sparse bundle', () => {
  const options: EncryptOptions = { password, blockBytes: 4096 }
  const bandBytes = 65_536
  const sizeBytes = 4 * bandBytes

  /** Bands 0 and 2 are full of noise, but for zeros at the end of 2 where `zeros` says so; band 3 ends early. */
  async function write(folder: string, counted: 'band' | 'disk', zeros: number) {
    const path = join(folder, 'a.sparsebundle')
    await mkdir(join(path, 'bands'), { recursive: true })
    const plist = `<?xml version="1.0"?><plist version="1.0"><dict>${bundleDict(sizeBytes, bandBytes)}</dict></plist>`
    for (const name of ['Info.plist', 'Info.bckup']) await writeFile(join(path, name), plist)
    await writeFile(join(path, 'token'), headerV2(0, options))
    const contents = Buffer.alloc(sizeBytes)
    for (const [index, length] of [
      [0, bandBytes],
      [2, bandBytes - zeros],
      [3, 8192],
    ] as const)
      contents.set(noise(length, index + 1), index * bandBytes)
    contents.writeUInt16LE(0xaa55, 510)
    for (const [index, length] of [
      [0, bandBytes],
      [2, bandBytes],
      [3, 8192],
    ] as const) {
      const band = contents.subarray(index * bandBytes, index * bandBytes + length)
      const first = counted === 'disk' ? (index * bandBytes) / 4096 : 0
      await writeFile(join(path, 'bands', String(index)), encryptBlocks(band, options, 4096, first))
    }
    return { path, contents }
  }

  it.each(['band', 'disk'] as const)('is read whether its blocks are counted by %s', async (counted) => {
    await using folder = await temporaryFolder()
    const { path, contents } = await write(folder.path, counted, 8192)
    expect(await rejectionOf(openImage(path, { keyring: new Keyring() }))).toMatchObject({
      code: 'E_SRC_ENCRYPTED',
    })
    expect(await isImageLocked(path, { keyring: new Keyring() })).toBe(true)
    const keyring = await unlocked(path)
    expect((await openImage(path, { keyring })).info).toMatchObject({
      format: 'UDSB',
      encrypted: { bits: 256 },
    })
    expect(Buffer.compare(await expanded(path, keyring), contents)).toBe(0)
  })

  it('is taken to be counted by band where nothing tells', async () => {
    await using folder = await temporaryFolder()
    const { path, contents } = await write(folder.path, 'band', 0)
    expect(Buffer.compare(await expanded(path, await unlocked(path)), contents)).toBe(0)
  })

  it('is damaged when a band ends inside a block, or the token is none', async () => {
    await using folder = await temporaryFolder()
    const { path } = await write(folder.path, 'band', 8192)
    const keyring = await unlocked(path)
    await writeFile(join(path, 'bands/3'), noise(5000, 1))
    expect(await rejectionOf(openImage(path, { keyring }))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      field: 'band',
    })
    await writeFile(join(path, 'token'), 'not a header')
    expect(await rejectionOf(openImage(path, { keyring }))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      field: 'token',
    })
  })
})
