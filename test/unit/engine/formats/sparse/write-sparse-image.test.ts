import { describe, expect, it } from 'vitest'
import { chooseBandBytes, readSparseImage, SparseImageWriter } from '#engine/formats/sparse'
import { memorySource } from '#test/memory-source'

const mebibyte = 1024 * 1024
const tebibyte = mebibyte * mebibyte

describe('bands', () => {
  it.each([
    [null, 1],
    [1, 1],
    [4 * tebibyte, 1],
    [4 * tebibyte + 512, 2],
    [8 * tebibyte, 2],
    [100 * tebibyte, 32],
  ])('of a disk of %j bytes have %i MiB', (sizeBytes, mebibytes) => {
    expect(chooseBandBytes(sizeBytes)).toBe(mebibytes * mebibyte)
  })
})

describe('a written sparse image', () => {
  it('has an index node for each 1010 bands after the 1008th, and is read again', async () => {
    const pieces = new Map<number, Uint8Array>()
    const sink = {
      async write(bytes: Uint8Array, offset: number) {
        pieces.set(offset, bytes.slice())
      },
    }
    const writer = new SparseImageWriter(sink, 512)
    const count = 1008 + 1010 + 1
    for (let band = 0; band < count; band++)
      await writer.write(new Uint8Array(512).fill((band % 200) + 1), band * 1024)
    const file = Buffer.alloc(await writer.finish(count * 1024))
    for (const [offset, bytes] of pieces) file.set(bytes, offset)
    expect(file.length).toBe(3 * 4096 + count * 512)
    expect(file.toString('latin1', 4096 + 1008 * 512, 4096 + 1008 * 512 + 4)).toBe('sprs')
    const { bandCount, layout } = await readSparseImage(memorySource(file))
    expect(bandCount).toBe(count)
    expect(layout.sizeBytes).toBe(count * 1024)
    // Every second band is a hole.
    expect(layout.extents.count).toBe(2 * count)
  })
})
