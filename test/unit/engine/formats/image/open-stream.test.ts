import { constants, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openImage } from '#engine/formats/image'
import { WebClient } from '#engine/web-source'
import { noise } from '#test/image-of-runs'
import { temporaryFolder } from '#test/temporary-folder'
import { askedRange, serveFile, startWebServer } from '#test/web-server'

const mib = 1024 ** 2

describe('a compressed disk on a server', () => {
  it('is not fetched to learn its size from zstd', async () => {
    const disk = noise(20 * mib, 5)
    disk.set([0x55, 0xaa], 510)
    const bytes = zstdCompressSync(disk, {
      pledgedSrcSize: disk.length,
      params: { [constants.ZSTD_c_contentSizeFlag]: 1 },
    })
    await using server = await startWebServer((request, response) =>
      serveFile(request, response, { bytes, etag: '"v1"' }),
    )
    using web = new WebClient({ environment: {} })
    const { info } = await openImage(`${server.url}/disk.img.zst`, { web })
    expect(info).toMatchObject({ format: 'raw.zst', sizeBytes: null })
    const fetchedBytes = server.requests
      .map((request) => askedRange(request, bytes.length) ?? { from: 0, to: bytes.length })
      .reduce((total, { from, to }) => total + to - from, 0)
    expect(fetchedBytes).toBeLessThan(12 * mib)
  })
})

describe('a compressed disk in a file', () => {
  it('is opened with zeros behind it, and refused with anything else there', async () => {
    await using folder = await temporaryFolder()
    const disk = Buffer.from(noise(mib, 5))
    disk.set([0x55, 0xaa], 510)
    const bytes = zstdCompressSync(disk, {
      pledgedSrcSize: disk.length,
      params: { [constants.ZSTD_c_contentSizeFlag]: 1 },
    })
    for (const zeros of [1, 4, 512]) {
      const path = await folder.write('disk.img.zst', Buffer.concat([bytes, Buffer.alloc(zeros)]))
      expect((await openImage(path)).info).toMatchObject({ format: 'raw.zst', sizeBytes: mib })
    }
    // One that was written into a pipe doesn't state its size.
    const piped = zstdCompressSync(disk, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } })
    const path = await folder.write('piped.img.zst', Buffer.concat([piped, Buffer.alloc(512)]))
    expect((await openImage(path)).info).toMatchObject({ format: 'raw.zst', sizeBytes: mib })
    for (const garbage of [noise(512, 1), Buffer.concat([Buffer.alloc(512), noise(512, 1)])]) {
      const path = await folder.write('disk.img.zst', Buffer.concat([bytes, garbage]))
      await expect(openImage(path)).rejects.toMatchObject({ code: 'E_SRC_CORRUPT' })
    }
  })
})
