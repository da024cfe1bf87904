import { closeSync, openSync, truncateSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Keyring } from '#engine/formats/encrypted'
import { openImage, unlockImage } from '#engine/formats/image'
import { defaultPool, openBlockStream } from '#engine/pipeline'
import { PartFiles } from '#src/main/engine/pipeline/part-files.ts'
import { readStored, readStoredLater, type OpenPart } from '#src/main/engine/pipeline/stored-reader.ts'
import { buildUdif } from '#test/build-udif'
import { encryptedV1, encryptedV2 } from '#test/encrypted-file'
import { rejectionOf } from '#test/format-errors'
import { noise } from '#test/image-of-runs'
import { seededRandom } from '#test/seeded'
import { temporaryFolder } from '#test/temporary-folder'
import { serveFile, startWebServer } from '#test/web-server'

const password = 'sesame'
// More than the workers decrypt at once, and nothing round.
const disk = noise(5 * 1024 * 1024 + 3 * 512, 3)

async function openLayout(path: string) {
  const keyring = new Keyring()
  await unlockImage(path, password, { keyring })
  const { layout } = await openImage(path, { keyring })
  if (layout.kind !== 'extents') throw new Error('no extents')
  return layout
}

async function readAll(path: string): Promise<Buffer> {
  const { signal } = new AbortController()
  await using stream = await openBlockStream(await openLayout(path), {
    pool: defaultPool,
    alignmentBytes: 512,
    signal,
  })
  const pieces: Uint8Array[] = []
  for (let item = await stream.next(); item !== null; item = await stream.next()) {
    pieces.push(item.kind === 'data' ? Buffer.from(item.bytes) : Buffer.alloc(item.lengthBytes))
    if (item.kind === 'data') item.release()
  }
  return Buffer.concat(pieces)
}

describe('a stream of an encrypted image', () => {
  it.each([
    ['raw, version 2', encryptedV2(disk, { password })],
    ['raw, version 1', encryptedV1(disk, { password })],
  ])('is the disk inside: %s', async (_, file) => {
    await using folder = await temporaryFolder()
    expect(Buffer.compare(await readAll(await folder.write('a.img', file)), disk)).toBe(0)
  })

  it('decodes runs that begin and end anywhere in a block', async () => {
    await using folder = await temporaryFolder()
    const runs = Array.from({ length: 10 }, (_, index) => {
      const data = Buffer.alloc(512 * 100, `run ${index} `)
      data.set(noise(1000 + 37 * index, index))
      return { kind: index % 3 === 2 ? 'raw' : 'zlib', sectors: 100, data } as const
    })
    const built = buildUdif({ tables: [{ name: 'whole disk (unknown : 0)', runs }] })
    const path = await folder.write('a.dmg', encryptedV2(built.bytes, { password, blockBytes: 4096 }))
    expect(Buffer.compare(await readAll(path), Buffer.concat(runs.map(({ data }) => data)))).toBe(0)
  })

  it('fails where the file was cut off meanwhile', async () => {
    await using folder = await temporaryFolder()
    const path = await folder.write('a.img', encryptedV2(disk, { password }))
    const layout = await openLayout(path)
    truncateSync(path, 2_000_000)
    await using stream = await openBlockStream(layout, {
      pool: defaultPool,
      alignmentBytes: 512,
      signal: new AbortController().signal,
    })
    const drain = async () => {
      for (let item = await stream.next(); item !== null; item = await stream.next())
        if (item.kind === 'data') item.release()
    }
    expect(await rejectionOf(drain())).toMatchObject({ code: 'E_SRC_CORRUPT', field: 'data' })
  })
})

it('stored bytes are decrypted whether the reader blocks or not', async () => {
  await using folder = await temporaryFolder()
  const path = await folder.write('a.img', encryptedV2(disk, { password }))
  const { parts } = await openLayout(path)
  const fd = openSync(path, 'r')
  try {
    using files = new PartFiles()
    const open: OpenPart[] = parts.map((part) => ({ ...part, fd }))
    const random = seededRandom(5)
    for (let round = 0; round < 20; round++) {
      const offset = random.below(disk.length)
      const length = random.below(Math.min(disk.length - offset, round < 4 ? disk.length : 3000))
      const [now, later] = [new Uint8Array(length), new Uint8Array(length)]
      readStored(open, offset, now, files)
      await readStoredLater(open, offset, later, files)
      const expected = disk.subarray(offset, offset + length)
      expect(Buffer.compare(now, expected)).toBe(0)
      expect(Buffer.compare(later, expected)).toBe(0)
    }
  } finally {
    closeSync(fd)
  }
})

it('an encrypted image on a web server is read like any other', async () => {
  const runs = [0, 1, 2].map((seed) => ({ kind: 'zlib', sectors: 1000, data: noise(512_000, seed) }) as const)
  const built = buildUdif({ tables: [{ name: 'whole disk (unknown : 0)', runs }] })
  const bytes = encryptedV2(built.bytes, { password })
  await using server = await startWebServer((request, response) =>
    serveFile(request, response, { bytes, etag: '"one"' }),
  )
  const got = await readAll(`${server.url}/secret.dmg`)
  expect(Buffer.compare(got, Buffer.concat(runs.map(({ data }) => data)))).toBe(0)
})
