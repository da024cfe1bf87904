import { describe, expect, it } from 'vitest'
import { EncryptedFile, newEncryption, readEncryptedHeader } from '#engine/formats/encrypted'
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
  const file = new EncryptedFile({ write }, encryption)
  return { file, finish: async (dataBytes: number) => bytes.subarray(0, await file.finish(dataBytes)) }
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
    const file = new EncryptedFile({ write }, encryption, { signal: giveUp.signal })
    await expect(file.write(noise(512, 1), 2 ** 40)).rejects.toThrow('enough')
    expect(pieces).toBe(3)
  })

  it('never writes a block anew in part', async () => {
    const { file } = await start()
    await file.write(noise(1000, 1), 0)
    await expect(file.write(noise(10, 1), 0)).rejects.toThrow(BugError)
    await expect(file.write(noise(512, 1), 512)).rejects.toThrow(BugError)
  })
})
