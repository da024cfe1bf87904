import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checksumsOf } from '#engine/formats/extents'
import { openImage } from '#engine/formats/image'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { defaultPool, openBlockStream } from '#engine/pipeline'
import { isComparedWithFile } from '#shared/model'
import { noise } from '#test/image-of-runs'
import { program } from '#test/needs'
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

const disk = Buffer.concat([noise(3 * mib, 1), Buffer.alloc(5 * mib), noise(mib + 100, 2)])
disk.set([0x55, 0xaa], 510)
const compress = (program: string, ...options: string[]) =>
  execFileSync(program, ['-c', ...options], { input: disk, maxBuffer: 64 * mib })

/** Contents that a decoder doesn't look at. */
function skippable(lengthBytes: number): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(0x184d2a5a)
  head.writeUInt32LE(lengthBytes, 4)
  return Buffer.concat([head, noise(lengthBytes, 9)])
}

const compressed: readonly (readonly [string, string, () => Uint8Array])[] = [
  ['gzip', 'gz', () => gzipSync(disk)],
  ['gzip with zeros behind it', 'gz', () => Buffer.concat([gzipSync(disk), Buffer.alloc(mib)])],
  ['zstd', 'zst', () => zstdCompressSync(disk)],
  [
    'zstd with frames that are skipped',
    'zst',
    () => Buffer.concat([skippable(mib), zstdCompressSync(disk), skippable(2 * mib)]),
  ],
  ...['bzip2', 'xz']
    .filter((name) => program(name) !== null)
    .map((name) => [name, name === 'xz' ? 'xz' : 'bz2', () => compress(name, '-1')] as const),
]

describe.each(compressed)(
  'a raw image that is compressed, %s, with its SHA-256 beside it',
  (_, end, make) => {
    it('is read to its end when it is right', async () => {
      const bytes = make()
      const path = await folder.write(`disk.img.${end}`, bytes)
      await writeFile(`${path}.sha256`, `${sha256(bytes)}  disk.img.${end}\n`)
      expect(await read(path)).toBe(Math.ceil(disk.length / 512) * 512)
    })

    it('is not what the file says when it is another, though it can be expanded', async () => {
      const bytes = make()
      const path = await folder.write(`disk.img.${end}`, bytes)
      await writeFile(`${path}.sha256`, `${'0'.repeat(64)}  disk.img.${end}\n`)
      await expect(read(path)).rejects.toMatchObject({
        code: 'E_SRC_CORRUPT',
        details: { field: 'SHA-256', found: sha256(bytes), path },
      })
    })
  },
)

it.each([
  ['with a checksum', zstdCompressSync(disk, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }), 'inside'],
  ['without one', zstdCompressSync(disk), 'none'],
  ['that begins with what is skipped', Buffer.concat([skippable(8), zstdCompressSync(disk)]), 'inside'],
])('zstd %s is compared with what its head says', async (_, bytes, checksums) => {
  const { layout } = await openImage(await folder.write('disk.img.zst', bytes))
  expect(checksumsOf(layout)).toBe(checksums)
})

it('says first what the decoder finds, which knows where', async () => {
  const bytes = gzipSync(disk)
  bytes[mib]! ^= 1
  const path = await folder.write('disk.img.gz', bytes)
  await writeFile(`${path}.sha256`, `${'0'.repeat(64)}\n`)
  await expect(read(path)).rejects.toMatchObject({ code: 'E_SRC_CORRUPT', details: { format: 'gzip' } })
})

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
    expect(isComparedWithFile((await openImage(path)).info)).toBe(true)
    expect(checksumsOf((await openImage(path)).layout)).toBe('beside')
    await expect(read(path)).rejects.toMatchObject({ code: 'E_SRC_CORRUPT' })
    rmSync(`${path}.sha256`)
    expect(await read(path)).toBe(mib)
  })
})
