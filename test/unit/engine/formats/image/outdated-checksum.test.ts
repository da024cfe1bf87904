import { rm, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchChecksum } from '#engine/formats/image'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

let folder: TemporaryFolder
let path = ''
beforeEach(async () => {
  folder = await temporaryFolder()
  path = await folder.write('disk.img', new Uint8Array(512))
  await writeFile(`${path}.sha256`, `${'0'.repeat(64)}  disk.img\n`)
})
afterEach(() => folder[Symbol.asyncDispose]())

/** What is told after `change`. */
async function after(change: () => Promise<unknown>): Promise<string | null> {
  const find = await watchChecksum(path)
  await change()
  return await find()
}

describe('the checksum beside an image', () => {
  it('is outdated when the image was changed, or another took its place', async () => {
    expect(await after(() => writeFile(path, new Uint8Array(1024)))).toBe(`${path}.sha256`)
    await rm(path)
    expect(await after(() => writeFile(path, new Uint8Array(512)))).toBe(`${path}.sha256`)
  })

  it('is not when the image is what it was, or the checksum is new, too', async () => {
    expect(await after(async () => undefined)).toBeNull()
    const both = async () => {
      await writeFile(path, new Uint8Array(1024))
      await writeFile(`${path}.sha256`, `${'1'.repeat(64)}  disk.img\n`)
    }
    expect(await after(both)).toBeNull()
  })

  it('is none when it is of another file', async () => {
    await writeFile(`${path}.sha256`, `${'0'.repeat(64)}  other.img\n`)
    expect(await after(() => writeFile(path, new Uint8Array(1024)))).toBeNull()
  })
})
