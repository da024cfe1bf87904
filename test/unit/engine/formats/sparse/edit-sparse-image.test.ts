import { describe, expect, it } from 'vitest'
import type { EditableFile } from '#engine/block-io'
import { readSparseImage, SparseImageEditor } from '#engine/formats/sparse'
import { buildSprs } from '#test/build-sparse'
import { noise } from '#test/image-of-runs'
import { memorySource } from '#test/memory-source'

const mebibyte = 1024 * 1024
const bandBytes = 16 * mebibyte

/** A file in memory, and how much was written into it. */
function memoryFile(start: Uint8Array) {
  let bytes = Buffer.from(start)
  const writes = { longest: 0, total: 0 }
  const file: EditableFile = {
    path: '/memory/image.sparseimage',
    get sizeBytes() {
      return bytes.length
    },
    read: (into, offset) => memorySource(bytes).read(into, offset),
    async write(piece, offset) {
      writes.longest = Math.max(writes.longest, piece.length)
      writes.total += piece.length
      const missing = offset + piece.length - bytes.length
      if (missing > 0) bytes = Buffer.concat([bytes, Buffer.alloc(missing)])
      bytes.set(piece, offset)
    },
    flush: async () => undefined,
    async setSize() {
      throw new Error('nobody asked for that')
    },
    async [Symbol.asyncDispose]() {},
  }
  return { file, writes, bytes: () => bytes }
}

/** A disk of two bands and a half of which the first is stored. */
const image = () =>
  buildSprs({
    sizeBytes: 2.5 * bandBytes,
    sectorsPerBand: bandBytes / 512,
    slots: [1],
    data: () => noise(bandBytes, 1),
  })

describe('a sparse image of large bands', () => {
  it('gets another band without all of its zeros being written, or held', async () => {
    const { file, writes, bytes } = memoryFile(image())
    const editor = await SparseImageEditor.open(file)
    await editor.write(noise(1024, 2), bandBytes + 5 * mebibyte)
    await editor.flush()
    expect(writes.longest).toBeLessThanOrEqual(mebibyte)
    expect(writes.total).toBeLessThan(mebibyte)
    expect(bytes()).toHaveLength(4096 + 2 * bandBytes)
    const again = await SparseImageEditor.open(memoryFile(bytes()).file)
    const band = await again.read(bandBytes, bandBytes)
    const expected = Buffer.alloc(bandBytes)
    expected.set(noise(1024, 2), 5 * mebibyte)
    expect(Buffer.compare(band, expected)).toBe(0)
  })

  it('gets none with what a stopped attempt left behind its end', async () => {
    const { file, writes, bytes } = memoryFile(Buffer.concat([image(), noise(3 * mebibyte + 512, 3)]))
    const editor = await SparseImageEditor.open(file)
    await editor.write(noise(1024, 2), bandBytes + mebibyte)
    await editor.flush()
    expect(writes.longest).toBeLessThanOrEqual(mebibyte)
    const again = await SparseImageEditor.open(memoryFile(bytes()).file)
    const band = await again.read(bandBytes, bandBytes)
    const expected = Buffer.alloc(bandBytes)
    expected.set(noise(1024, 2), mebibyte)
    expect(Buffer.compare(band, expected)).toBe(0)
  })

  it('grows over what lay behind the end of its disk, in pieces', async () => {
    const start = buildSprs({
      sizeBytes: bandBytes / 2,
      sectorsPerBand: bandBytes / 512,
      slots: [1],
      data: () => noise(bandBytes, 1),
    })
    for (const cutBytes of [0, 5 * mebibyte]) {
      const { file, writes, bytes } = memoryFile(start.subarray(0, start.length - cutBytes))
      const editor = await SparseImageEditor.open(file)
      await editor.grow(2 * bandBytes)
      expect(writes.longest).toBeLessThanOrEqual(mebibyte)
      expect((await readSparseImage(memorySource(bytes()))).layout.sizeBytes).toBe(2 * bandBytes)
      const disk = await (await SparseImageEditor.open(memoryFile(bytes()).file)).read(0, bandBytes)
      const expected = Buffer.alloc(bandBytes)
      expected.set(noise(bandBytes, 1).subarray(0, bandBytes / 2))
      expect(Buffer.compare(disk, expected)).toBe(0)
    }
  })
})
