import { describe, expect, it } from 'vitest'
import { EncryptedFile, newEncryption, openDecrypted, readEncryptedHeader } from '#engine/formats/encrypted'
import { BugError } from '#shared/errors'
import { decryptPlainly } from '#test/encrypted-file'
import { noise } from '#test/image-of-runs'
import { memorySource } from '#test/memory-source'
import { seededRandom } from '#test/seeded'

/** A file in memory; what isn't written is noise, as encrypted holes would be. */
async function start() {
  const bytes = Buffer.from(noise(1_500_000, 99))
  const encryption = await newEncryption('sesame', { iterations: 10 })
  const write = async (piece: Uint8Array, at: number) => bytes.set(piece, at)
  const file = new EncryptedFile({ write }, encryption.cipher)
  const finish = async (dataBytes: number) => {
    const end = await file.finish(dataBytes)
    bytes.set(encryption.header(dataBytes))
    return bytes.subarray(0, end)
  }
  return { file, finish }
}

describe('an encrypted file that is written', () => {
  it('holds what was written, in pieces of any length', async () => {
    const data = noise(700_123, 5)
    const random = seededRandom(6)
    const { file, finish } = await start()
    for (let at = 0; at < data.length;) {
      const length = random.chance(0.05) ? 300_000 : random.below(2000)
      // As a view of something larger, as buffers come.
      await file.write(Buffer.from(data.subarray(at, at + length)), at)
      at += length
    }
    const written = await finish(data.length)
    expect(written).toHaveLength(122_368 + Math.ceil(data.length / 512) * 512)
    expect(Buffer.compare(decryptPlainly(written, 'sesame'), data)).toBe(0)
  })

  it('reads as zeros where nothing was written', async () => {
    const { file, finish } = await start()
    await file.write(Buffer.from('first'), 3)
    await file.write(noise(512, 1), 400_384)
    await file.write(noise(4096, 2), 8192)
    const expected = Buffer.alloc(500_000)
    expected.set(Buffer.from('first'), 3)
    expected.set(noise(512, 1), 400_384)
    expected.set(noise(4096, 2), 8192)
    expect(Buffer.compare(decryptPlainly(await finish(500_000), 'sesame'), expected)).toBe(0)
  })

  it('can be empty', async () => {
    const { finish } = await start()
    expect(decryptPlainly(await finish(0), 'sesame')).toHaveLength(0)
  })

  it('has keys of its own, and a header as large as those of Apple', async () => {
    const [one, two] = [await start(), await start()]
    const files = [await one.finish(512), await two.finish(512)] as const
    expect(Buffer.compare(files[0], files[1])).not.toBe(0)
    expect(Buffer.compare(files[0].subarray(122_368), files[1].subarray(122_368))).not.toBe(0)
    const header = await readEncryptedHeader(memorySource(files[0]))
    expect(header).toMatchObject({ version: 2, keyBits: 256, blockBytes: 512, dataOffset: 122_368 })
  })

  it('stops in the middle of a hole when it is told to', async () => {
    const giveUp = new AbortController()
    let pieces = 0
    const write = async () => {
      pieces += 1
      if (pieces === 3) giveUp.abort(new Error('enough'))
    }
    const encryption = await newEncryption('sesame', { iterations: 10 })
    const file = new EncryptedFile({ write }, encryption.cipher, { signal: giveUp.signal })
    await expect(file.write(noise(512, 1), 2 ** 40)).rejects.toThrow('enough')
    expect(pieces).toBe(3)
  })

  it('never writes a block anew in part that it can not read', async () => {
    const { file } = await start()
    await file.write(noise(1000, 1), 0)
    await expect(file.write(noise(10, 1), 0)).rejects.toThrow(BugError)
    // What waits to be whole is known.
    await file.write(noise(10, 1), 600)
  })
})

/** One that is in a file from its first byte, as the bands of a bundle are. */
async function startBand(blockBytes: number) {
  const { cipher } = await newEncryption('sesame', { iterations: 1 })
  const inFile = { ...cipher, blockBytes, dataOffset: 0 }
  let bytes = Buffer.alloc(0)
  const stored = {
    write: async (piece: Uint8Array, at: number) => {
      if (bytes.length < at + piece.length) bytes = Buffer.concat([bytes, Buffer.alloc(at + piece.length)], at + piece.length) // prettier-ignore
      bytes.set(piece, at)
    },
    read: async (into: Uint8Array, at: number) => {
      expect(at + into.length).toBeLessThanOrEqual(bytes.length)
      into.set(bytes.subarray(at, at + into.length))
    },
  }
  return {
    /** With what is in it. */
    open: () => new EncryptedFile(stored, inFile, { sizeBytes: bytes.length }),
    cut: (length: number) => (bytes = bytes.subarray(0, length)),
    async decrypted() {
      const plain = Buffer.alloc(bytes.length)
      await using source = openDecrypted(memorySource(bytes), { ...inFile, dataBytes: bytes.length })
      await source.read(plain, 0)
      return plain
    },
  }
}

describe('an encrypted file that is changed', () => {
  it.each([512, 4096])('is what a plain one would be, with blocks of %i bytes', async (blockBytes) => {
    const band = await startBand(blockBytes)
    let plain = Buffer.alloc(0)
    const random = seededRandom(blockBytes)
    for (let round = 0; round < 60; round++) {
      const file = band.open()
      for (let step = 0; step < 4; step++) {
        const offset = random.chance(0.3) ? random.below(20) * 512 : random.below(20_000)
        const piece = noise(random.chance(0.3) ? 4096 : random.below(9000), round * 10 + step)
        if (plain.length < offset + piece.length)
          plain = Buffer.concat([plain, Buffer.alloc(offset + piece.length)], offset + piece.length)
        plain.set(piece, offset)
        await file.write(piece, offset)
        const from = random.below(plain.length)
        const read = new Uint8Array(random.below(Math.min(3000, plain.length - from) + 1))
        await file.read(read, from)
        expect(Buffer.compare(read, plain.subarray(from, from + read.length))).toBe(0)
      }
      const size = random.chance(0.3) ? random.below(plain.length + 5000) : plain.length
      const length = await file.finish(size)
      expect(length).toBe(Math.ceil(size / blockBytes) * blockBytes)
      band.cut(length)
      // What was cut off inside a block is zeros.
      plain = Buffer.concat([plain.subarray(0, size), Buffer.alloc(length)], length)
      expect(Buffer.compare(await band.decrypted(), plain)).toBe(0)
    }
  })
})
