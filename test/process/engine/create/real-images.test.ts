import { mkdirSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openFileSource } from '#engine/block-io'
import { DiskReader, openImage } from '#engine/formats/image'
import { quietContext } from '#test/quiet-context'
import { planReading } from '#src/main/engine/create/plan-reading.ts'
import { convertForReal } from '#test/convert-for-real'
import { hashFolder } from '#test/filled-volume'
import { command } from '#test/loop'
import { missing } from '#test/needs'
import { realImagePath } from '#test/real-images'
import { temporaryFolder } from '#test/temporary-folder'

/** Volumes that Apple's and Microsoft's systems wrote. */
const images = [
  ['dmgwiz/input_non_null_data_offset.dmg', 'hfsplus'],
  ['node-udif/zlib-compressed.dmg', 'hfsplus'],
  ['node-udif/gpt.dmg', 'hfsplus'],
  ['node-udif/raw.dmg', 'hfsplus'],
  ['node-udif/compression-raw.dmg', 'vfat'],
  ['etcher/gpt-in-dmg.dmg', 'ntfs'],
] as const

describe.skipIf(missing('images', 'program:7zz'))('used blocks of real images', { timeout: 60_000 }, () => {
  it.each(images)('%s: %s has all its files without the others', async (name, filesystem) => {
    await using folder = await temporaryFolder()
    const raw = join(folder.path, 'raw.img')
    await convertForReal({ source: realImagePath(name), target: raw, format: 'raw' })
    const { layout } = await openImage(raw)
    if (layout.kind !== 'extents') throw new Error('not a raw image')
    await using disk = new DiskReader(layout, { open: openFileSource, decodeBudgetBytes: 0 })
    const { ranges, parts } = await planReading(
      disk.read,
      { sizeBytes: layout.sizeBytes, sectorBytes: 512 },
      quietContext(),
    )
    const part = parts.find((each) => each.filesystem === filesystem)
    expect(part).toMatchObject({ whole: null })
    expect(part?.usedBytes).toBeLessThan(part?.sizeBytes ?? 0)

    const bytes = await readFile(raw)
    const kept = Buffer.alloc(bytes.length, 0xa5)
    for (const [from, to] of ranges) bytes.copy(kept, from, from, to)
    const start = part?.offset ?? 0
    const end = start + (part?.sizeBytes ?? 0)
    const list = async (disk: Buffer, called: string) => {
      const volume = join(folder.path, `${called}.img`)
      const inside = join(folder.path, called)
      mkdirSync(inside)
      await using file = await open(volume, 'wx')
      await file.write(disk, start, end - start, 0)
      // Apple's volumes have links that lead outside: 7-Zip complains of them and goes on.
      await command('7zz', ['x', '-y', `-o${inside}`, volume]).catch(() => undefined)
      return hashFolder(inside)
    }
    const before = await list(bytes, 'before')
    expect(before.size).toBeGreaterThan(0)
    expect(await list(kept, 'after')).toEqual(before)
  })

  it('are all of an HFS+ volume that was not unmounted', async () => {
    await using folder = await temporaryFolder()
    const raw = join(folder.path, 'raw.img')
    await convertForReal({
      source: realImagePath('node-udif/raw.dmg'),
      target: raw,
      format: 'raw',
    })
    const bytes = await readFile(raw)
    const disk = async (offset: number, lengthBytes: number) => bytes.subarray(offset, offset + lengthBytes)
    const before = await planReading(disk, { sizeBytes: bytes.length, sectorBytes: 512 }, quietContext())
    const part = before.parts.find((each) => each.filesystem === 'hfsplus')
    expect(part).toMatchObject({ whole: null })
    const attributesAt = (part?.offset ?? 0) + 1024 + 4
    bytes.writeUInt32BE((bytes.readUInt32BE(attributesAt) & ~0x100) >>> 0, attributesAt)
    const after = await planReading(disk, { sizeBytes: bytes.length, sectorBytes: 512 }, quietContext())
    expect(after.parts.find((each) => each.filesystem === 'hfsplus')).toMatchObject({ whole: 'unclean' })
  })
})
