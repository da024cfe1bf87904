import { execFileSync } from 'node:child_process'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeRun, encodeRun } from '#engine/formats/codecs'
import { deflateByTheBook, openHandleDeflater } from '#src/main/engine/formats/codecs/zlib-encoder.ts'
import { noise } from '#test/image-of-runs'
import { missing } from '#test/needs'

const seed = 20261121
const kinds = ['adc', 'zlib', 'bzip2', 'lzfse', 'lzma'] as const

/** Pieces as disks have them, from a byte to what fills several blocks of every codec. */
const piece = fc.oneof(
  fc.tuple(fc.nat(1000), fc.nat(70_000)).map(([seed, length]) => noise(length, seed)),
  fc.tuple(fc.nat(255), fc.nat(200_000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(3000))
    .map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes))),
  fc.tuple(fc.nat(1000), fc.nat(90_000)).map(([seed, length]) => noise(length, seed).map((byte) => byte & 3)),
  fc.uint8Array({ maxLength: 40 }),
)
const run = fc
  .array(fc.tuple(piece, fc.boolean()), { minLength: 1, maxLength: 6 })
  // What came before comes again: copies from far away.
  .map((pieces) => Buffer.concat(pieces.flatMap(([bytes, again]) => (again ? [bytes, bytes] : [bytes]))))
  .filter((bytes) => bytes.length > 0)
  .map((bytes) => bytes.subarray(0, 1024 * 1024))
const level = fc.integer({ min: 1, max: 9 })

const expand = async (kind: (typeof kinds)[number], stored: Uint8Array, length: number) => {
  const into = new Uint8Array(length)
  await decodeRun(kind, stored, into)
  return into
}

describe.each(kinds)('what is written as %s', (kind) => {
  test('reads as what it was', async () => {
    await fc.assert(
      fc.asyncProperty(run, level, async (bytes, level) => {
        const into = new Uint8Array(bytes.length * 2 + 1000)
        const length = encodeRun(kind, bytes, into, level)
        expect(length).not.toBeNull()
        const back = await expand(kind, into.slice(0, length ?? 0), bytes.length)
        expect(Buffer.compare(back, bytes)).toBe(0)
      }),
      { seed, numRuns: 25 },
    )
  })

  test('never goes past the room there is, and says so', () => {
    fc.assert(
      fc.property(run, level, fc.double({ min: 0, max: 1, noNaN: true }), (bytes, level, part) => {
        const whole = new Uint8Array(bytes.length * 2 + 1000)
        const length = encodeRun(kind, bytes, whole, level) ?? 0
        const room = Math.floor((length - 1) * part)
        const guarded = new Uint8Array(room + 64).fill(0xa5)
        expect(encodeRun(kind, bytes, guarded.subarray(0, room), level)).toBeNull()
        expect(guarded.subarray(room).every((byte) => byte === 0xa5)).toBe(true)
      }),
      { seed, numRuns: 10 },
    )
  })

  test('has a run of a mebibyte in it', async () => {
    const text = Buffer.from('The quick brown fox jumps over the lazy dog. '.repeat(24_000)).subarray(
      0,
      1024 * 1024,
    )
    text.set(noise(100_000, 7), 500_000)
    const into = new Uint8Array(2 * text.length)
    const length = encodeRun(kind, text, into, 6) ?? 0
    expect(length).toBeLessThan(text.length / 5)
    expect(Buffer.compare(await expand(kind, into.slice(0, length), text.length), text)).toBe(0)
  })
})

describe.skipIf(missing('program:xz', 'program:bzip2'))('other people read', () => {
  test.each([
    ['xz', 'lzma'],
    ['bzip2', 'bzip2'],
  ] as const)('%s what we write as %s', (program, kind) => {
    fc.assert(
      fc.property(run, level, (bytes, level) => {
        const into = new Uint8Array(bytes.length * 2 + 1000)
        const stored = into.subarray(0, encodeRun(kind, bytes, into, level) ?? 0)
        const back = execFileSync(program, ['-dc'], { input: stored, maxBuffer: 2 ** 24 })
        expect(Buffer.compare(back, bytes)).toBe(0)
      }),
      { seed, numRuns: 10 },
    )
  })
})

describe('zlib', () => {
  test("is written through Node's binding as by the book, byte for byte", () => {
    fc.assert(
      fc.property(run, level, (bytes, level) => {
        const direct = openHandleDeflater(level)
        const room = () => new Uint8Array(bytes.length * 2 + 1000)
        const [a, b] = [room(), room()]
        expect(direct?.(bytes, a)).toBe(deflateByTheBook(level)(bytes, b))
        expect(Buffer.compare(a, b)).toBe(0)
      }),
      { seed, numRuns: 10 },
    )
  })
})
