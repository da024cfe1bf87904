import { describe, expect, it } from 'vitest'
import { mostIterations, parseToken, readEncryptedHeader, unlockHeader } from '#engine/formats/encrypted'
import { FormatError } from '#shared/errors'
import { encryptedV1, encryptedV2, headerV2 } from '#test/encrypted-file'
import { failureOf, rejectionOf } from '#test/format-errors'
import { noise } from '#test/image-of-runs'
import { memorySource } from '#test/memory-source'
import { seededRandom } from '#test/seeded'

const password = 'sesame'
const data = noise(3000, 1)
const two = encryptedV2(data, { password })
const one = encryptedV1(data, { password })
const read = (file: Uint8Array) => readEncryptedHeader(memorySource(file))

/** A copy with other numbers, each 4 bytes long. */
function lie(file: Buffer, start: number, numbers: { readonly [offset: number]: number }): Buffer {
  const copy = Buffer.from(file)
  for (const [offset, value] of Object.entries(numbers)) copy.writeUInt32BE(value, start + Number(offset))
  return copy
}

/** What comes of a hostile file: a code, or that it opens. Anything but a FormatError comes through. */
async function endOf(file: Uint8Array): Promise<string> {
  try {
    const header = await read(file)
    // What many iterations may cost is bounded elsewhere; here they would only take time.
    if (header !== null && header.ways.every(({ iterations }) => iterations < 3000))
      await unlockHeader(header, password)
    return 'opens'
  } catch (error) {
    FormatError.accept(error)
    return error.code
  }
}

describe('the header of an encrypted image', () => {
  it('is told in both versions', async () => {
    expect(await read(two)).toMatchObject({
      version: 2,
      keyBits: 256,
      blockBytes: 512,
      dataOffset: 4096,
      dataBytes: 3000,
    })
    expect(await read(one)).toMatchObject({
      version: 1,
      keyBits: 128,
      blockBytes: 4096,
      dataOffset: 0,
      dataBytes: 3000,
    })
    expect(parseToken(headerV2(0, { password }))).toMatchObject({ version: 2, dataBytes: 0 })
  })

  it('is missing in other files', async () => {
    for (const file of [noise(5000, 1), Buffer.alloc(0), Buffer.from('encrcds'), Buffer.from('cdsaencr')])
      expect(await read(file)).toBeNull()
    expect(parseToken(new Uint8Array(0))).toBeNull()
  })

  it.each([
    ['another version', { 8: 3 }, 'E_SRC_FORMAT', 'header.version'],
    ['another cipher', { 20: 17 }, 'E_SRC_FORMAT', 'header.algorithm'],
    ['another key', { 24: 192 }, 'E_SRC_FORMAT', 'header.keyBits'],
    ['blocks of nothing', { 52: 0 }, 'E_SRC_CORRUPT', 'header.blockSize'],
    ['blocks of 500 bytes', { 52: 500 }, 'E_SRC_CORRUPT', 'header.blockSize'],
    ['blocks of 2 GiB', { 52: 0x80000000 }, 'E_SRC_CORRUPT', 'header.blockSize'],
    ['more data than the file', { 60: 1_000_000 }, 'E_SRC_CORRUPT', 'header.dataSize'],
    ['data of 2^63 bytes', { 56: 0x80000000 }, 'E_SRC_CORRUPT', 'header.dataSize'],
    ['data in the header', { 68: 0 }, 'E_SRC_CORRUPT', 'header.dataOffset'],
    ['data far behind the file', { 64: 1 }, 'E_SRC_CORRUPT', 'header.dataOffset'],
    ['no way to the keys', { 72: 0 }, 'E_SRC_CORRUPT', 'header.authCount'],
    ['a billion ways', { 72: 1e9 }, 'E_SRC_CORRUPT', 'header.authCount'],
    ['only a certificate', { 76: 2 }, 'E_SRC_FORMAT', 'auth.type'],
    ['a password behind the file', { 84: 1e6 }, 'E_SRC_CORRUPT', 'auth.length'],
    ['a password too short', { 92: 100 }, 'E_SRC_CORRUPT', 'auth.length'],
    ['another derivation', { 96: 1 }, 'E_SRC_FORMAT', 'passphrase.kdfAlgorithm'],
    ['2^40 iterations', { 100: 256 }, 'E_SRC_FORMAT', 'passphrase.prngAlgorithm'],
    ['2^31 iterations', { 104: 0x80000000 }, 'E_SRC_CORRUPT', 'passphrase.iterations'],
    ['no iterations', { 104: 0 }, 'E_SRC_CORRUPT', 'passphrase.iterations'],
    ['one iteration too many', { 104: mostIterations + 1 }, 'E_SRC_CORRUPT', 'passphrase.iterations'],
    ['a salt too long', { 108: 33 }, 'E_SRC_CORRUPT', 'passphrase.saltLength'],
    ['an IV too long', { 144: 16 }, 'E_SRC_CORRUPT', 'passphrase.ivLength'],
    ['keys wrapped with DES', { 184: 14 }, 'E_SRC_FORMAT', 'passphrase.wrapAlgorithm'],
    ['AES keys of half a cell', { 184: 0x80000001, 196: 56 }, 'E_SRC_CORRUPT', 'passphrase.blobLength'],
    ['keys of half a cell', { 196: 63 }, 'E_SRC_CORRUPT', 'passphrase.blobLength'],
    ['keys longer than their room', { 196: 520 }, 'E_SRC_CORRUPT', 'passphrase.blobLength'],
  ])('of version 2 is refused with %s', async (_, numbers, code, field) => {
    expect(await rejectionOf(read(lie(two, 0, numbers)))).toMatchObject({ code, field })
  })

  it.each([
    ['another version', { 1264: 2 }, 'E_SRC_FORMAT', 'trailer.version'],
    ['another key', { 100: 64 }, 'E_SRC_FORMAT', 'trailer.keyBits'],
    ['blocks of a byte', { 16: 1 }, 'E_SRC_CORRUPT', 'trailer.blockSize'],
    ['more data than the file', { 1260: 1_000_000 }, 'E_SRC_CORRUPT', 'trailer.dataSize'],
    ['2^31 iterations', { 48: 0x80000000 }, 'E_SRC_CORRUPT', 'passphrase.iterations'],
    ['a key longer than its room', { 136: 264 }, 'E_SRC_CORRUPT', 'trailer.keyLength'],
    ['no second key', { 436: 0 }, 'E_SRC_CORRUPT', 'trailer.ivKeyLength'],
  ])('of version 1 is refused with %s', async (_, numbers, code, field) => {
    expect(await rejectionOf(read(lie(one, one.length - 1276, numbers)))).toMatchObject({ code, field })
  })

  it('counts the iterations of all its passwords together', async () => {
    const many = lie(two, 0, { 72: 2, 104: mostIterations })
    // The second way is the first once more.
    many.copyWithin(712, 96, 712)
    many.writeUInt32BE(1, 96)
    many.writeBigUInt64BE(712n, 100)
    many.writeBigUInt64BE(616n, 108)
    many.writeBigUInt64BE(712n, 80)
    expect(await rejectionOf(read(many))).toMatchObject({ field: 'passphrase.iterations' })
  })

  it('is refused when the file is cut off anywhere', async () => {
    for (const length of [75, 95, 200, 711, 4096, two.length - 1])
      expect(await rejectionOf(read(two.subarray(0, length)))).toMatchObject({ code: 'E_SRC_CORRUPT' })
    // Which is what became of it, most likely.
    const short = read(two.subarray(0, two.length - 1))
    await expect(short).rejects.toMatchObject({ details: { field: 'header.dataSize', cutShort: true } })
    expect(failureOf(() => parseToken(two.subarray(0, 100)))).toMatchObject({ code: 'E_SRC_CORRUPT' })
  })

  it('with any byte changed is refused in words, or wants another password, or opens', async () => {
    const random = seededRandom(20)
    const ends = new Set<string>()
    for (const file of [two, one]) {
      for (let round = 0; round < 400; round++) {
        const copy = Buffer.from(file)
        const start = file === two ? 8 : file.length - 1276
        const place = start + random.below(file === two ? 704 : 1268)
        copy[place] = random.below(256)
        ends.add(await endOf(copy))
      }
    }
    expect([...ends].toSorted()).toEqual(['E_SRC_CORRUPT', 'E_SRC_FORMAT', 'E_SRC_PASSWORD', 'opens'])
  })
})
