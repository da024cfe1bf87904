import { gzipSync, zstdCompressSync, constants } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StreamCodec } from '#engine/formats/extents'
import { FormatError } from '#shared/errors'
import { decodeStream } from '#src/main/engine/formats/codecs/stream-decoder.ts'
import { encodeBzip2 } from '#test/encode-bzip2'
import { encodeXz } from '#test/encode-xz'
import { memorySource } from '#test/memory-source'

const seed = 20261120

const codecs: readonly {
  readonly name: string
  readonly codec: StreamCodec
  readonly encode: (bytes: Uint8Array) => Uint8Array
}[] = [
  { name: 'gzip', codec: 'gzip', encode: (bytes) => gzipSync(bytes) },
  { name: 'bzip2', codec: 'bzip2', encode: (bytes) => encodeBzip2(bytes, { blockBytes: 900 }) },
  {
    name: 'xz with CRC-32',
    codec: 'xz',
    encode: (bytes) => encodeXz(bytes, { check: 'crc32', blockBytes: 500 }),
  },
  { name: 'xz with CRC-64', codec: 'xz', encode: (bytes) => encodeXz(bytes, { check: 'crc64' }) },
  {
    name: 'zstd',
    codec: 'zstd',
    encode: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  },
]

const data = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.nat(255), fc.nat(2000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
    ),
    { maxLength: 5 },
  )
  .map((pieces) => new Uint8Array(Buffer.concat(pieces)))

async function decode(codec: StreamCodec, stored: Uint8Array, pieceBytes = 65_536): Promise<Buffer> {
  const parts: Uint8Array[] = []
  const signal = new AbortController().signal
  for await (const bytes of decodeStream(codec, memorySource(stored), { signal, pieceBytes }))
    parts.push(bytes)
  return Buffer.concat(parts)
}

async function complaint(
  codec: StreamCodec,
  stored: Uint8Array,
  pieceBytes?: number,
): Promise<FormatError | null> {
  try {
    await decode(codec, stored, pieceBytes)
    return null
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    const { format, field, offset } = error.details
    if (
      !error.code.startsWith('E_SRC_') ||
      format !== codec ||
      field === '' ||
      !(offset >= 0 && offset <= stored.length)
    )
      throw new Error('a FormatError without its facts', { cause: error })
    return error
  }
}

describe.each(codecs)('$name streams', ({ codec, encode }) => {
  test('decode to what was encoded, alone and one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(data, { minLength: 1, maxLength: 3 }), async (streams) => {
        const stored = Buffer.concat(streams.map(encode))
        expect((await decode(codec, stored)).equals(Buffer.concat(streams))).toBe(true)
      }),
      { seed, numRuns: 30 },
    )
  })

  test('decode when they come one byte at a time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ maxLength: 20 }),
        async (first, second) => {
          const stored = Buffer.concat([encode(first), encode(second)])
          expect((await decode(codec, stored, 1)).equals(Buffer.concat([first, second]))).toBe(true)
        },
      ),
      { seed, numRuns: 8 },
    )
  })

  test('are refused when cut off after any byte', async () => {
    const first = encode(Buffer.from('abracadabra abracadabra'))
    const both = Buffer.concat([first, encode(Buffer.from('the second'))])
    for (let length = 0; length < both.length; length++) {
      if (length === first.length) continue
      expect((await complaint(codec, both.subarray(0, length)))?.code).toBe('E_SRC_CORRUPT')
    }
  })

  test('may be followed by zeros', async () => {
    const stored = encode(Buffer.from('something'))
    for (const zeros of [4, 512, 100_000])
      expect((await decode(codec, Buffer.concat([stored, new Uint8Array(zeros)]), 300)).toString()).toBe(
        'something',
      )
  })

  test('are refused when something else follows, also behind zeros', async () => {
    const stored = encode(Buffer.from('something'))
    const behind = async (...after: Uint8Array[]) => complaint(codec, Buffer.concat([stored, ...after]))
    expect((await behind(Buffer.from('garbage')))?.code).toBe('E_SRC_CORRUPT')
    const far = await behind(new Uint8Array(5001), Buffer.from('x'))
    expect(far?.details.offset).toBe(stored.length + 5001)
  })

  test('never fail but with a FormatError, whatever was changed in them', async () => {
    const change = fc.tuple(fc.nat(), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(data, fc.array(change, { minLength: 1, maxLength: 3 }), async (bytes, changes) => {
        const stored = Uint8Array.from(encode(bytes))
        for (const [place, value] of changes) stored[place % stored.length] = value
        expect(await complaint(codec, stored)).toBeDefined()
      }),
      { seed, numRuns: 150 },
    )
  })

  test('are refused when any bit of their data is wrong', async () => {
    const bytes = Buffer.from('abracadabra abracadabra')
    const stored = encode(bytes)
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const wrong = Uint8Array.from(stored)
      wrong[bit >> 3]! ^= 1 << (bit & 7)
      // Some bits mean nothing: a time, a name, padding. But what comes out is never something else.
      const isRefused = (await complaint(codec, wrong)) !== null
      expect(isRefused || (await decode(codec, wrong)).equals(bytes)).toBe(true)
    }
  })
})
