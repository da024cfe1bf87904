/** Images made by Apple's own tools, converted to every format and back. */
import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openImage } from '#engine/formats/image'
import { writableFormats } from '#shared/model'
import { convertForReal } from '#test/convert-for-real'
import { expandImage } from '#test/expand-image'
import { missing } from '#test/needs'
import { realImageList, realImagePath } from '#test/real-images'
import { temporaryFolder } from '#test/temporary-folder'

const skip = missing('images')
const images = realImageList.filter(
  ({ kind }) => /^(UD|UL)[A-Z]{2}$|^compressed raw/.test(kind) && kind !== 'UDSB',
)

/** Every format for some, and some for every image: each is written of a third of them. */
const formatsFor = (index: number) =>
  index % 7 === 0 ? writableFormats : writableFormats.filter((_, at) => (at + index) % 4 === 0)

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of expandImage(await openImage(path))) hash.update(piece)
  return hash.digest('hex')
}

describe.skipIf(skip)('a real image', () => {
  for (const [index, image] of images.entries())
    it(`${image.file} is the same disk in other formats`, async () => {
      await using work = await temporaryFolder()
      let target = ''
      for (const format of formatsFor(index)) {
        target = join(work.path, `${basename(image.file)}.${format}.dmg`)
        await convertForReal({ source: image.path, target, format })
        expect([format, await sha256(target)]).toEqual([format, image.expandedSha256])
      }
      // And back: from a new image as well as from the old.
      const back = join(work.path, 'back.img')
      await convertForReal({ source: target, target: back, format: 'raw' })
      expect(await sha256(back)).toBe(image.expandedSha256)
    })

  // hdiutil made several formats of the same disks: what it calls the tables is what we call them.
  it.each([
    ['dmgwiz/input_lzma.dmg', 'dmgwiz/input_ro.dmg'],
    ['node-udif/compression-lzfse.dmg', 'node-udif/compression-raw.dmg'],
    ['node-udif/raw.dmg', 'node-udif/raw.dmg'],
  ])('%s gets the tables it had', async (file, other) => {
    await using work = await temporaryFolder()
    const target = join(work.path, 'new.dmg')
    await convertForReal({ source: realImagePath(file), target, format: 'UDZO' })
    const tables = async (path: string) =>
      (await openImage(path)).info.tables.map(({ name, firstSector, sectorCount }) => [
        // A partition's type is told in the file system's words where it is told otherwise at all.
        name.replaceAll('Windows_FAT_12', 'Windows_FAT_16'),
        firstSector,
        sectorCount,
      ])
    expect(await tables(target)).toEqual(await tables(realImagePath(other)))
  })
})
