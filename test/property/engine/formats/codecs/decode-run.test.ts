import { deflateSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeRun } from '#engine/formats/codecs'
import { FormatError } from '#shared/errors'
import type { RunKind } from '#shared/model'
import { encodeAdc } from '#test/encode-adc'
import { encodeBzip2 } from '#test/encode-bzip2'
import { encodeLzfse } from '#test/encode-lzfse'
import { encodeXz } from '#test/encode-xz'

const seed = 20261120

const codecs: readonly {
  readonly name: string
  readonly kind: RunKind
  readonly encode: (bytes: Uint8Array) => Uint8Array
}[] = [
  { name: 'adc', kind: 'adc', encode: encodeAdc },
  { name: 'zlib', kind: 'zlib', encode: (bytes) => deflateSync(bytes) },
  { name: 'zlib, stored', kind: 'zlib', encode: (bytes) => deflateSync(bytes, { level: 0 }) },
  { name: 'bzip2', kind: 'bzip2', encode: (bytes) => encodeBzip2(bytes) },
  {
    name: 'bzip2 in blocks',
    kind: 'bzip2',
    encode: (bytes) => encodeBzip2(bytes, { blockBytes: 700, level: 1 }),
  },
  { name: 'lzma', kind: 'lzma', encode: (bytes) => encodeXz(bytes) },
  {
    name: 'lzma with a check',
    kind: 'lzma',
    encode: (bytes) => encodeXz(bytes, { check: 'crc64', blockBytes: 1000 }),
  },
  ...(['bvx-', 'bvxn', 'bvx1', 'bvx2'] as const).flatMap((block) => [
    {
      name: `lzfse ${block}`,
      kind: 'lzfse' as const,
      encode: (bytes: Uint8Array) => encodeLzfse(bytes, block),
    },
    {
      name: `lzfse ${block} in blocks`,
      kind: 'lzfse' as const,
      encode: (bytes: Uint8Array) => encodeLzfse(bytes, block, { blockBytes: 600 }),
    },
  ]),
]

/** Noise, runs of a byte, repeated pieces and few symbols, one after the other, as disks have them. */
const data = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.nat(255), fc.nat(700)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.nat(60))
        .map(([piece, times]) => Buffer.concat(Array.from({ length: times }, () => piece))),
      fc.array(fc.constantFrom(0x20, 0x65, 0x74), { maxLength: 400 }).map((bytes) => Uint8Array.from(bytes)),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => new Uint8Array(Buffer.concat(pieces)))

const small = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
  fc.constantFrom(
    ...['abracadabra abracadabra', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'].map((text) => Buffer.from(text)),
  ),
)

/** Noise in which pieces come again after every distance a codec has another way of saying. */
function repeatsFromFarBack(): Uint8Array {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => Math.imul(index, 0x9e3779b1) >>> 17)
  let at = 280_000
  for (const distance of [
    1, 2, 3, 4, 5, 1000, 1024, 1500, 1600, 3000, 16_000, 17_000, 65_000, 66_000, 262_000,
  ])
    for (const length of [3, 7, 12, 40, 300]) {
      bytes.copyWithin(at, at - distance, at - distance + length)
      at += length + (length % 4)
    }
  return bytes
}

/** Both buffers in shared memory with other bytes around them, as in the pipeline; tells when those changed. */
async function decode(kind: RunKind, stored: Uint8Array, lengthBytes: number): Promise<Uint8Array> {
  const memory = new Uint8Array(new SharedArrayBuffer(64 + stored.length + 64 + lengthBytes + 64)).fill(0xa5)
  memory.set(stored, 64)
  const into = memory.subarray(128 + stored.length, 128 + stored.length + lengthBytes)
  try {
    await decodeRun(kind, memory.subarray(64, 64 + stored.length), into)
  } finally {
    expect(Buffer.compare(memory.subarray(64, 64 + stored.length), stored)).toBe(0)
    expect(memory.subarray(0, 64).every((byte) => byte === 0xa5)).toBe(true)
    expect(memory.subarray(64 + stored.length, 128 + stored.length).every((byte) => byte === 0xa5)).toBe(true)
    expect(memory.subarray(128 + stored.length + lengthBytes).every((byte) => byte === 0xa5)).toBe(true)
  }
  return Uint8Array.from(into)
}

/** What decoding throws, as long as it is what may be thrown. */
async function complaint(
  kind: RunKind,
  stored: Uint8Array,
  lengthBytes: number,
): Promise<FormatError | null> {
  try {
    await decode(kind, stored, lengthBytes)
    return null
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    const { format, field, offset } = error.details
    if (
      error.code !== 'E_SRC_CORRUPT' ||
      format !== kind ||
      field === '' ||
      !(offset >= 0 && offset <= stored.length)
    )
      throw new Error('a FormatError without its facts', { cause: error })
    return error
  }
}

describe.each(codecs)('$name runs', ({ kind, encode }) => {
  test('decode to what was encoded', async () => {
    await fc.assert(
      fc.asyncProperty(data, async (bytes) => {
        expect(Buffer.compare(await decode(kind, encode(bytes), bytes.length), bytes)).toBe(0)
      }),
      { seed, numRuns: 60 },
    )
  })

  // The encoders of the others copy nothing, and take long.
  test.skipIf(['bzip2', 'lzma'].includes(kind))('decode copies from far back', async () => {
    const bytes = repeatsFromFarBack()
    expect(Buffer.compare(await decode(kind, encode(bytes), bytes.length), bytes)).toBe(0)
  })

  test('are refused when cut off after any byte', async () => {
    await fc.assert(
      fc.asyncProperty(small, async (bytes) => {
        const stored = encode(bytes)
        for (let length = 0; length < stored.length; length++)
          expect(await complaint(kind, stored.subarray(0, length), bytes.length)).not.toBeNull()
      }),
      { seed, numRuns: 8 },
    )
  })

  test('are refused when they are longer or shorter than they should be', async () => {
    await fc.assert(
      fc.asyncProperty(small, fc.integer({ min: 1, max: 600 }), async (bytes, difference) => {
        const stored = encode(bytes)
        expect(await complaint(kind, stored, bytes.length + difference)).not.toBeNull()
        expect(await complaint(kind, stored, Math.max(0, bytes.length - difference))).not.toBeNull()
      }),
      { seed, numRuns: 40 },
    )
  })

  test('are refused when something follows', async () => {
    const stored = encode(Buffer.from('something'))
    expect(await complaint(kind, Buffer.concat([stored, new Uint8Array(1)]), 9)).not.toBeNull()
    expect(await complaint(kind, Buffer.concat([stored, stored]), 9)).not.toBeNull()
  })

  test('never fail but with a FormatError, nor write elsewhere, whatever was changed in them', async () => {
    const change = fc.tuple(fc.nat(), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(data, fc.array(change, { minLength: 1, maxLength: 4 }), async (bytes, changes) => {
        const stored = Uint8Array.from(encode(bytes))
        for (const [place, value] of changes) if (stored.length > 0) stored[place % stored.length] = value
        expect(await complaint(kind, stored, bytes.length)).toBeDefined()
      }),
      { seed, numRuns: 300 },
    )
  })

  test('never fail but with a FormatError on noise', async () => {
    const head = encode(Buffer.from('something')).subarray(0, 12)
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(12),
        fc.nat(2000),
        async (noise, kept, length) => {
          expect(await complaint(kind, Buffer.concat([head.subarray(0, kept), noise]), length)).toBeDefined()
        },
      ),
      { seed, numRuns: 300 },
    )
  })
})

describe('zero, ignore and raw runs', () => {
  test('zero and ignore runs become zeros', async () => {
    expect(await decode('zero', new Uint8Array(0), 512)).toEqual(new Uint8Array(512))
    expect(await decode('ignore', new Uint8Array(0), 512)).toEqual(new Uint8Array(512))
  })

  test('raw runs are copied', async () => {
    await fc.assert(
      fc.asyncProperty(data, async (bytes) => {
        expect(Buffer.compare(await decode('raw', bytes, bytes.length), bytes)).toBe(0)
      }),
      { seed, numRuns: 20 },
    )
  })

  test('raw runs of another length are refused', async () => {
    expect((await complaint('raw', new Uint8Array(511), 512))?.details.field).toBe('compLength')
    expect((await complaint('raw', new Uint8Array(513), 512))?.details.field).toBe('compLength')
  })
})
