/** Images made by Apple's own tools, where they lie beside the project. What they are is told by their `images.json`. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Keyring } from '#engine/formats/encrypted'
import { openImage, unlockImage } from '#engine/formats/image'
import { expandImage } from '#test/expand-image'
import { rejectionOf } from '#test/format-errors'
import { missing } from '#test/needs'
import { realImageList, realImagePath } from '#test/real-images'
import { recomputeChecks, recomputeStoredChecks } from '#test/recompute-checks'

const skip = missing('images')
const readable = realImageList.filter(({ kind }) => /^(UD|UL)[A-Z]{2}$/.test(kind) && kind !== 'UDSB')
const named = (kinds: RegExp) => realImageList.filter(({ kind }) => kinds.test(kind))

/** Our name for theirs; null where they don't know either. */
function filesystem(theirs: string): string | null {
  if (theirs.startsWith('APFS')) return 'apfs'
  if (theirs.startsWith('HFS+')) return 'hfsplus'
  return theirs.startsWith('FAT') ? 'vfat' : null
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of expandImage(await openImage(path))) hash.update(piece)
  return hash.digest('hex')
}

describe.skipIf(skip)('a real UDIF image', () => {
  for (const image of readable)
    it(`${image.file} is told right`, async () => {
      const { info, layout, masterCheck } = await openImage(image.path)
      expect(info.format).toBe(image.kind)
      expect(info.sizeBytes).toBe(image.expandedBytes)
      expect(info.storedBytes).toBe(image.bytes)
      expect(info.partitionMap).toBe(image.partitionMap?.toLowerCase())
      expect(info.inOrder).toBe(image.inOrder)
      const { zero: _zero, ignore: _ignore, ...dataRuns } = info.runCounts
      expect(dataRuns).toEqual(image.runKinds)
      const listed = (image.filesystems ?? []).map(([offset, name]) => ({ offset, filesystem: filesystem(name) }))
      const found = info.partitions.map(({ offset, filesystem }) => ({ offset, filesystem }))
      // Where they don't know the file system, we may.
      const unknown = new Set(listed.filter(({ filesystem }) => filesystem === null).map(({ offset }) => offset))
      expect(found.map((one) => (unknown.has(one.offset) ? { ...one, filesystem: null } : one))).toEqual(listed)
      expect(masterCheck?.stored).toBe(masterCheck?.computed)
      expect(layout).toMatchObject({ kind: 'extents', checks: { length: info.tables.length } })
    })

  for (const image of readable)
    it(`${image.file} expands to what two other tools made of it`, async () => {
      expect(await sha256(image.path)).toBe(image.expandedSha256)
    })

  for (const image of readable)
    it(`${image.file} stores the checksums of what it holds`, async () => {
      const { layout } = await openImage(image.path)
      if (layout.kind !== 'extents') throw new Error('no extents')
      expect(await recomputeChecks(layout)).toEqual(layout.checks.map(({ crc32 }) => crc32))
      expect(await recomputeStoredChecks(layout)).toEqual(layout.storedChecks.map(({ crc32 }) => crc32))
    })

  it('tells what a scan stored, in either byte order', async () => {
    const { info } = await openImage(realImagePath('etcher/gpt-in-dmg.dmg'))
    expect(info.scan?.partitions.map(({ blockChecksum2 }) => blockChecksum2)).toEqual(['f7ea78ed'])
  })

  it('tells the labels of its volumes', async () => {
    const labels = async (file: string) =>
      (await openImage(realImagePath(file))).info.partitions.map(({ label }) => label)
    expect(await labels('dmgwiz/input_non_null_data_offset.dmg')).toEqual(['SquidMan 1.5'])
    expect(await labels('node-udif/compression-zlib.dmg')).toEqual(['NEW VOLUME', 'VOLUME'])
    expect(await labels('node-udif/zlib-compressed.dmg')).toEqual(['Single Partition APM'])
    expect(await labels('etcher/gpt-in-dmg.dmg')).toEqual([null, 'FATFS', 'System'])
  })
})

describe.skipIf(skip)('a real encrypted image', () => {
  for (const image of named(/^encrypted/))
    it(`${image.file} is locked until its password was given, and then what it is`, async () => {
      const { path } = image
      const keyring = new Keyring()
      expect(await rejectionOf(openImage(path, { keyring }))).toMatchObject({ code: 'E_SRC_ENCRYPTED' })
      expect(await rejectionOf(unlockImage(path, `${image.password}!`, { keyring }))).toMatchObject({
        code: 'E_SRC_PASSWORD',
      })
      expect(await rejectionOf(openImage(path, { keyring }))).toMatchObject({ code: 'E_SRC_ENCRYPTED' })

      await unlockImage(path, image.password ?? '', { keyring })
      const { info, masterCheck } = await openImage(path, { keyring })
      const [, version, format] = /^encrypted v([12]) (\w+)/.exec(image.kind) ?? []
      expect(info.encrypted).toEqual({
        version: Number(version),
        bits: /AES-128|password-data|MS-DOS/.test(image.file) ? 128 : 256,
      })
      expect(info.format).toBe(format === 'raw' ? 'UDRW' : format)
      expect(info.sizeBytes).toBe(image.expandedBytes)
      expect(info.storedBytes).toBe(image.bytes)
      expect(masterCheck?.stored).toBe(masterCheck?.computed)
    })

  for (const image of named(/^encrypted/).filter(({ expandedBytes }) => expandedBytes < 2 ** 30))
    it(`${image.file} expands to what two other tools made of it`, async () => {
      const { path } = image
      const keyring = new Keyring()
      await unlockImage(path, image.password ?? '', { keyring })
      const opened = await openImage(path, { keyring })
      const hash = createHash('sha256')
      for await (const piece of expandImage(opened)) hash.update(piece)
      expect(hash.digest('hex')).toBe(image.expandedSha256)

      const { layout } = opened
      if (layout.kind !== 'extents') throw new Error('no extents')
      expect(await recomputeChecks(layout)).toEqual(layout.checks.map(({ crc32 }) => crc32))
      expect(await recomputeStoredChecks(layout)).toEqual(layout.storedChecks.map(({ crc32 }) => crc32))
    })
})

describe.skipIf(skip)('another real file', () => {
  for (const image of named(/^compressed raw/))
    it(`${image.file} is a compressed raw image`, async () => {
      const { path } = image
      const { info } = await openImage(path)
      expect(info.format).toBe(`raw.${image.file.split('.').at(-1)}`)
      expect([null, image.expandedBytes]).toContain(info.sizeBytes)
      expect(info.partitionMap).not.toBe('none')
      expect(await sha256(path)).toBe(image.expandedSha256)
    })

  for (const image of named(/^UDSB/))
    it(`${image.file} is a sparse bundle`, async () => {
      const { path } = image
      expect((await openImage(path)).info).toMatchObject({
        format: 'UDSB',
        sizeBytes: image.expandedBytes,
        partitions: [{ offset: 0, filesystem: 'hfsplus' }],
      })
      expect(await sha256(path)).toBe(image.expandedSha256)
    })

  for (const image of named(/NOT a dmg/))
    it(`${image.file} is told to be no image we read`, async () => {
      expect(await rejectionOf(openImage(image.path))).toMatchObject({ code: 'E_SRC_FORMAT' })
    })
})
