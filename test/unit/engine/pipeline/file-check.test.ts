import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openImage } from '#engine/formats/image'
import { defaultPool, openBlockStream } from '#engine/pipeline'
import { noise } from '#test/image-of-runs'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

const mib = 1024 * 1024
let folder: TemporaryFolder
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function read(path: string, upTo = Infinity): Promise<number> {
  const { layout } = await openImage(path)
  const { signal } = new AbortController()
  await using stream = await openBlockStream(layout, { pool: defaultPool, alignmentBytes: 4096, signal })
  let end = 0
  for (let item = await stream.next(); item !== null && end < upTo; item = await stream.next()) {
    end = item.offset + (item.kind === 'data' ? item.bytes.length : item.lengthBytes)
    if (item.kind === 'data') item.release()
  }
  return end
}

describe('a raw image with its SHA-256 beside it', () => {
  it.each([
    ['whole sectors', Buffer.concat([noise(3 * mib, 1), Buffer.alloc(40 * mib), noise(4096, 2)])],
    ['more than is hashed in place', noise(40 * mib, 5)],
    ['a part of a sector at its end', noise(2 * mib + 100, 3)],
    ['zeros at its end', Buffer.concat([noise(mib, 4), Buffer.alloc(2 * mib + 7)])],
  ])('is read to its end when it is right, with %s', async (_, bytes) => {
    bytes.set([0x55, 0xaa], 510)
    const path = await folder.write('disk.img', bytes)
    await writeFile(`${path}.sha256`, `${sha256(bytes)}  disk.img\n`)
    expect(await read(path)).toBe(Math.ceil(bytes.length / 512) * 512)
  })

  it('is damaged when one bit of it is wrong, which is known when all of it was read', async () => {
    const bytes = noise(5 * mib, 1)
    const path = await folder.write('disk.img', bytes)
    await writeFile(`${path}.sha256`, `${sha256(bytes)}  disk.img\n`)
    bytes[2 * mib]! ^= 1
    await writeFile(path, bytes)
    await expect(read(path)).rejects.toMatchObject({
      code: 'E_SRC_CORRUPT',
      details: { field: 'SHA-256', found: sha256(bytes) },
    })
    expect(await read(path, mib)).toBeGreaterThanOrEqual(mib)
  })

  it('is known by its name: what is beside it for another file counts for nothing', async () => {
    const path = await folder.write('disk.img', noise(mib, 1))
    await writeFile(`${path}.sha256`, `${'0'.repeat(64)}  other.img\n`)
    expect((await openImage(path)).info.fileChecksum).toBeUndefined()
    expect(await read(path)).toBe(mib)
    await writeFile(`${path}.sha256`, `${'0'.repeat(64)} *disk.img\n`)
    expect((await openImage(path)).info.fileChecksum).toEqual({ algorithm: 'SHA-256', value: '0'.repeat(64) })
    await expect(read(path)).rejects.toMatchObject({ code: 'E_SRC_CORRUPT' })
    rmSync(`${path}.sha256`)
    expect(await read(path)).toBe(mib)
  })
})
