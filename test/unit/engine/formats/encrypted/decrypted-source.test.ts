import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { cipherOf, openDecrypted, readEncryptedHeader, unlockHeader } from '#engine/formats/encrypted'
import { BlockIvs } from '#src/main/engine/formats/encrypted/block-ivs.ts'
import { encryptedV1, encryptedV2, type EncryptOptions } from '#test/encrypted-file'
import { rejectionOf } from '#test/format-errors'
import { noise } from '#test/image-of-runs'
import { memorySource } from '#test/memory-source'
import { seededRandom } from '#test/seeded'
import { describeSource } from '#test/source-conformance'

const password = 'pass wörd'

async function open(file: Uint8Array) {
  const source = memorySource(file)
  const header = await readEncryptedHeader(source)
  if (header === null) throw new Error('not encrypted')
  return openDecrypted(source, cipherOf(header, await unlockHeader(header, password)))
}

const makers: readonly [string, (data: Uint8Array, options: EncryptOptions) => Buffer, EncryptOptions][] = [
  ['version 2, AES-256, blocks of 512', encryptedV2, { password }],
  ['version 2, AES-128, blocks of 4096', encryptedV2, { password, keyBits: 128, blockBytes: 4096 }],
  ['version 1, AES-128', encryptedV1, { password }],
  ['version 1, AES-256, blocks of 512', encryptedV1, { password, keyBits: 256, blockBytes: 512 }],
]

describe.each(makers)('an encrypted file, %s', (_, encrypt, options) => {
  it('reads as what was encrypted, wherever one begins and ends', async () => {
    // More than one piece, and a last block that isn't full.
    const data = noise(600_001, 7)
    const source = await open(encrypt(data, options))
    expect(source.sizeBytes).toBe(data.length)
    const random = seededRandom(11)
    const stretches = Array.from({ length: 60 }, () => {
      const offset = random.below(data.length)
      const room = data.length - offset
      return [offset, random.chance(0.1) ? room : random.below(Math.min(room, 5000))] as const
    })
    for (const [offset, length] of [
      [0, data.length],
      [0, 0],
      [512, 512],
      [data.length - 1, 1],
      ...stretches,
    ]) {
      const into = new Uint8Array(length)
      await source.read(into, offset)
      expect(Buffer.compare(into, data.subarray(offset, offset + length))).toBe(0)
    }
  })

  it('ends where its data ends, not its last block', async () => {
    const source = await open(encrypt(noise(1000, 1), options))
    expect(await rejectionOf(source.read(new Uint8Array(2), 999))).toMatchObject({ code: 'E_SRC_CORRUPT' })
  })
})

describeSource('openDecrypted', (bytes) => open(encryptedV2(bytes, { password })))

it('makes the IVs that HMAC-SHA1 makes', () => {
  const key = noise(20, 3)
  const ivs = new BlockIvs(key)
  for (const block of [0, 1, 0xff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff]) {
    const number = Buffer.alloc(4)
    number.writeUInt32BE(block)
    const into = new Uint8Array(18)
    ivs.xorInto(block, into, 1)
    const expected = createHmac('sha1', key).update(number).digest().subarray(0, 16)
    expect(Buffer.from(into)).toEqual(Buffer.concat([Buffer.alloc(1), expected, Buffer.alloc(1)]))
  }
})
