import { constants, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openImage } from '#engine/formats/image'
import { WebSession } from '#engine/web-source'
import { noise } from '#test/image-of-runs'
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
    using web = new WebSession({ environment: {} })
    const { info } = await openImage(`${server.url}/disk.img.zst`, { web })
    expect(info).toMatchObject({ format: 'raw.zst', sizeBytes: null })
    const fetchedBytes = server.requests
      .map((request) => askedRange(request, bytes.length) ?? { from: 0, to: bytes.length })
      .reduce((total, { from, to }) => total + to - from, 0)
    expect(fetchedBytes).toBeLessThan(12 * mib)
  })
})
