import { constants, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readZstdSize } from '#engine/formats/raw'
import { rejectionOf } from '#test/format-errors'
import { noise } from '#test/image-of-runs'
import { memorySource } from '#test/memory-source'

const sizeOf = (...frames: Uint8Array[]) => readZstdSize(memorySource(Buffer.concat(frames)))

/** Node states the content's size when it is told so. */
const frame = (bytes: number, checksum = 0) => frameOf(Buffer.alloc(bytes, 'disk'), checksum)
/** As long as what it holds. */
const noiseFrame = (bytes: number) => frameOf(noise(bytes, 1))
const frameOf = (contents: Uint8Array, checksum = 0) =>
  zstdCompressSync(contents, {
    pledgedSrcSize: contents.length,
    params: { [constants.ZSTD_c_contentSizeFlag]: 1, [constants.ZSTD_c_checksumFlag]: checksum },
  })
const skippable = Buffer.from('502a4d1805000000ffffffffff', 'hex')

describe('the size of a zstd file', () => {
  it('is stated by its frame, whatever its length', async () => {
    for (const bytes of [1, 255, 256, 65_791, 65_792, 1_000_000])
      expect(await sizeOf(frame(bytes))).toBe(bytes)
  })

  it('is the sum over its frames', async () => {
    expect(await sizeOf(skippable, frame(1000, 1), skippable, frame(500))).toBe(1500)
  })

  it('is found behind a window and a dictionary', async () => {
    const empty = '010000'
    expect(await sizeOf(Buffer.from(`28b52ffd 21 77 05 ${empty}`.replaceAll(' ', ''), 'hex'))).toBe(5)
    expect(
      await sizeOf(Buffer.from(`28b52ffd 43 58 77777777 0500 ${empty}`.replaceAll(' ', ''), 'hex')),
    ).toBe(261)
  })

  it('is not known when a frame does not state it', async () => {
    const stream = zstdCompressSync(Buffer.alloc(1000), { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } })
    expect(await sizeOf(stream)).toBeNull()
    expect(await sizeOf(frame(1000), stream)).toBeNull()
  })

  it('is not asked for when there are too many blocks to hop over', async () => {
    // A frame of empty raw blocks.
    const blocks = Buffer.alloc(3 * 40_000)
    expect(await sizeOf(Buffer.from('28b52ffd2005', 'hex'), blocks)).toBeNull()
  })

  it('is not looked for further in than is asked for', async () => {
    const [small, large] = [memorySource(frame(1000)), memorySource(noiseFrame(1_000_000))]
    const limit = { mostBytes: 500_000 }
    expect([await readZstdSize(small, limit), await readZstdSize(large, limit)]).toEqual([1000, null])
    expect(await readZstdSize(large)).toBe(1_000_000)
  })

  it.each([1, 3, 4, 5, 512])(
    'is known when %i zeros follow, as a copy from a medium has them',
    async (zeros) => {
      expect(await sizeOf(frame(1000, 1), Buffer.alloc(zeros))).toBe(1000)
      expect(await sizeOf(frame(1000), skippable, Buffer.alloc(zeros))).toBe(1000)
    },
  )

  it('is refused when nothing but zeros is there, and when zeros end in something else', async () => {
    for (const bytes of [Buffer.alloc(3), Buffer.alloc(512), Buffer.concat([skippable, Buffer.alloc(512)])])
      expect(await rejectionOf(sizeOf(bytes))).toMatchObject({ code: 'E_SRC_CORRUPT' })
    for (const end of ['000001', '00010000', '01'])
      expect(await rejectionOf(sizeOf(frame(10), Buffer.from(end, 'hex')))).toMatchObject({
        code: 'E_SRC_CORRUPT',
      })
  })

  it('is refused when the file ends inside a frame, wherever', async () => {
    const whole = Buffer.concat([frame(300_000, 1), skippable])
    const first = whole.length - skippable.length
    for (let length = 1; length < whole.length; length++) {
      if (length === first) continue
      const failure = await rejectionOf(readZstdSize(memorySource(whole.subarray(0, length))))
      expect(failure).toMatchObject({ code: 'E_SRC_CORRUPT', format: 'zstd' })
    }
  })

  it('is refused for a reserved block type and for something behind the frames', async () => {
    expect(await rejectionOf(sizeOf(Buffer.from('28b52ffd2005070000', 'hex')))).toMatchObject({
      field: 'block.type',
    })
    expect(await rejectionOf(sizeOf(frame(10), Buffer.from('trailing')))).toMatchObject({
      field: 'frame.magic',
    })
  })
})
