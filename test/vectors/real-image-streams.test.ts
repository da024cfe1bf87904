/** Images made by Apple's own tools, through the pipeline and the verify, where they lie beside the project. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openImage } from '#engine/formats/image'
import { defaultPool, openBlockStream } from '#engine/pipeline'
import { verifyImage } from '#engine/scan'
import { missing } from '#test/needs'
import { realImageList, realImagePath } from '#test/real-images'
import { quietContext } from '#test/quiet-context'

const skip = missing('images')
const readable = realImageList.filter(
  ({ kind }) =>
    /^(UD(RO|CO|ZO|BZ)|ULFO|ULMO|compressed raw)$/.test(kind),
)

describe.skipIf(skip)('a real image', () => {
  test.each(readable)('$file ($kind) comes out of the pipeline as it should', async ({ file, expandedSha256 }) => {
    const { layout } = await openImage(realImagePath(file))
    const hash = createHash('sha256')
    const zeros = Buffer.alloc(1024 * 1024)
    await using stream = await openBlockStream(layout, {
      pool: defaultPool,
      alignmentBytes: 4096,
      signal: new AbortController().signal,
    })
    for (let item = await stream.next(); item !== null; item = await stream.next()) {
      if (item.kind === 'data') {
        hash.update(item.bytes)
        item.release()
        continue
      }
      for (let left = item.lengthBytes; left > 0; left -= zeros.length)
        hash.update(zeros.subarray(0, Math.min(left, zeros.length)))
    }
    expect(hash.digest('hex')).toBe(expandedSha256)
  })

  test.each(readable)('$file ($kind) holds what its checksums say', async ({ file }) => {
    const result = await verifyImage(realImagePath(file), quietContext())
    expect(result.nothingToCheck).toBe(false)
  })
})
