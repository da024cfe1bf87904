import { describe, expect, test } from 'vitest'
import { decodeRun } from '#engine/formats/codecs'
import { encodeLzfse, encodeLzfseBlock } from '#test/encode-lzfse'
import { failureOf } from '#test/format-errors'

function decode(stored: Uint8Array, lengthBytes: number): string {
  const into = new Uint8Array(lengthBytes)
  void decodeRun('lzfse', stored, into)
  return Buffer.from(into).toString('latin1')
}

const ascii = (text: string) => Buffer.from(text, 'latin1')

const end = ascii('bvx$')
const lzvnEnd = [6, 0, 0, 0, 0, 0, 0, 0]

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** A stream of one LZVN block with these tokens and the end mark. */
const lzvn = (rawBytes: number, ...tokens: readonly (number | string)[]) => {
  const payload = Buffer.concat(
    [...tokens, ...lzvnEnd].map((token) => (typeof token === 'string' ? ascii(token) : Uint8Array.from([token]))),
  )
  return Buffer.concat([ascii('bvxn'), u32(rawBytes), u32(payload.length), payload, end])
}

describe('LZVN blocks', () => {
  test.each([
    ['nothing', [], ''],
    ['few literals', [0xe3, 'abc'], 'abc'],
    ['many literals', [0xe0, 4, 'abcdefghijklmnopqrst'], 'abcdefghijklmnopqrst'],
    ['a short distance with literals', [0xe3, 'abc', 0x40, 4, 'd'], 'abcdabc'],
    ['a short distance of eleven bits', [0xe0, 240, 'x'.repeat(256), 0x01, 0x00], 'x'.repeat(259)],
    ['a medium distance', [0xe3, 'abc', 0xa0 | (1 << 3) | 1, (4 << 2) | 2, 0, 'd'], 'abcdabcdabcda'],
    ['a long distance', [0xe3, 'abc', 0x80 | 7, 5, 0, 'de'], 'abcdeabc'],
    ['the last distance', [0xe3, 'abc', 0x00, 3, 0x46, 'd'], 'abcabcdbcd'],
    ['a short copy from the last distance', [0xe3, 'abc', 0x00, 3, 0xf2], 'abcabcab'],
    ['a long copy from the last distance', [0xe1, 'a', 0x00, 1, 0xf0, 4], 'a'.repeat(24)],
    ['tokens that mean nothing', [0x0e, 0xe1, 'a', 0x16], 'a'],
  ] as const)('decode %s', (_, tokens, text) => {
    expect(decode(lzvn(text.length, ...tokens), text.length)).toBe(text)
  })

  test.each([
    ['a token is not in use', lzvn(3, 0xe3, 'abc', 0x70), 3, 'lzvn token', 16],
    ['a token is not in use', lzvn(3, 0xe3, 'abc', 0xd7), 3, 'lzvn token', 16],
    ['a token is not in use', lzvn(3, 0xe3, 'abc', 0x1e), 3, 'lzvn token', 16],
    ['literals go past the payload', lzvn(40, 0xef, 'abc'), 40, 'lzvn literals', 12],
    ['a copy reaches before the start', lzvn(6, 0xe3, 'abc', 0, 4), 6, 'lzvn distance', 16],
    ['a copy has distance 0', lzvn(6, 0xe3, 'abc', 0, 0), 6, 'lzvn distance', 16],
    ['a copy asks for a last distance and there is none', lzvn(6, 0xe3, 'abc', 0xf3), 6, 'lzvn distance', 16],
    ['literals go past the block', lzvn(2, 0xe3, 'abc'), 2, 'n_raw_bytes', 12],
    ['a copy goes past the block', lzvn(5, 0xe3, 'abc', 0, 3), 5, 'n_raw_bytes', 16],
    ['it expands to less', lzvn(4, 0xe3, 'abc'), 4, 'n_raw_bytes', 24],
    ['the end mark is damaged', lzvn(3, 0xe3, 'abc', 6, 0, 0, 0, 0, 0, 1), 3, 'n_payload_bytes', 24],
    ['there is no end mark', Buffer.concat([ascii('bvxn'), u32(3), u32(4), ascii('\xe3abc'), end]), 3, 'lzvn end', 12],
    [
      'the end mark is not all zeros',
      Buffer.concat([ascii('bvxn'), u32(3), u32(12), ascii('\xe3abc\x06\0\0\0\0\0\0\x01'), end]),
      3,
      'lzvn end',
      23,
    ],
    ['the payload is cut off', lzvn(3, 0xe3, 'abc').subarray(0, 20), 3, 'n_payload_bytes', 20],
  ])('are refused when %s', (_, stored, lengthBytes, field, offset) => {
    expect(failureOf(() => decode(stored, lengthBytes))).toEqual({
      code: 'E_SRC_CORRUPT',
      format: 'lzfse',
      field,
      offset,
    })
  })
})

const text = 'abracadabra abracadabra, and again: abracadabra abracadabra! '.repeat(8)
const v1 = encodeLzfse(ascii(text), 'bvx1')
const v2 = encodeLzfse(ascii(text), 'bvx2')

/** A copy with these bytes at `offset`. */
const patched = (stored: Uint8Array, offset: number, ...bytes: readonly number[]) => {
  const copy = Uint8Array.from(stored)
  copy.set(bytes, offset)
  return copy
}

/** With seven unused bits in the last byte of the matches, which lies before the end mark. */
const unused = patched(v1, 40, 0xf9, 0xff, 0xff, 0xff)

describe('LZFSE blocks', () => {
  test('decode with either header', () => {
    expect(decode(v1, text.length)).toBe(text)
    expect(decode(v2, text.length)).toBe(text)
  })

  test('copies reach into the blocks before', () => {
    const first = encodeLzfse(ascii('abracadabra'), 'bvx-').subarray(0, -4)
    const second = lzvn(11, 0x00 | (5 << 3), 11, 0xf3)
    expect(decode(Buffer.concat([first, second]), 22)).toBe('abracadabraabracadabra')
  })

  test.each([
    ['n_payload_bytes is not the sum', patched(v1, 8, 0), 'n_payload_bytes', 8],
    ['n_literals is no multiple of four', patched(v1, 12, 1), 'n_literals', 0],
    ['n_literals is more than a block has', patched(v1, 14, 1), 'n_literals', 0],
    ['n_matches is more than a block has', patched(v1, 18, 1), 'n_matches', 0],
    ['literal_bits is positive', patched(v1, 28, 1, 0, 0, 0), 'literal_bits', 0],
    ['literal_bits is below -7', patched(v1, 28, 0xf8, 0xff, 0xff, 0xff), 'literal_bits', 0],
    ['lmd_bits is positive', patched(v1, 40, 1, 0, 0, 0), 'lmd_bits', 0],
    ['a literal state does not exist', patched(v1, 32, 0, 4), 'literal_state', 0],
    ['the L state does not exist', patched(v1, 44, 64), 'l_state', 0],
    ['the M state does not exist', patched(v1, 46, 64), 'm_state', 0],
    ['the D state does not exist', patched(v1, 48, 0, 1), 'd_state', 0],
    ['L frequencies do not add up', patched(v1, 50, 99), 'l_freq', 0],
    ['M frequencies do not add up', patched(v1, 90, 99), 'm_freq', 0],
    ['D frequencies do not add up', patched(v1, 130, 99), 'd_freq', 0],
    ['literal frequencies do not add up', patched(v1, 258, 99), 'literal_freq', 0],
    ['the header is shorter than it can be', patched(v2, 24, 31, 0), 'header_size', 24],
    ['the header is longer than the stream', patched(v2, 24, 0, 0, 0, 1), 'header_size', 24],
    ['the frequencies end early', patched(v2, 24, 40, 0), 'freq', 40],
    ['the block says that it is longer', patched(v2, 5, 2), 'n_raw_bytes', 4],
    ['no block begins here', patched(v2, 3, 0x33), 'magic', 0],
    ['unused bits are set', patched(unused, unused.length - 5, 0xff), 'lmd_bits', unused.length - 5],
    ['something follows', Buffer.concat([v2, end]), 'compLength', v2.length],
    ['the end mark is missing', v2.subarray(0, -4), 'n_payload_bytes', v2.length - 4],
    ['it is empty', v2.subarray(0, 0), 'magic', 0],
    ['the header is cut off', v2.subarray(0, 31), 'block header', 31],
    ['the other header is cut off', v1.subarray(0, 771), 'block header', 771],
    ['it holds no block', end, 'length', 4],
  ])('are refused when %s', (_, stored, field, offset) => {
    expect(failureOf(() => decode(stored, text.length))).toEqual({
      code: 'E_SRC_CORRUPT',
      format: 'lzfse',
      field,
      offset,
    })
  })

  test.each([
    ['from before the start', 5],
    ['from the distance before, and there is none', 0],
  ])('are refused when they copy %s', (_, distance) => {
    const block = encodeLzfseBlock(ascii('abcdabcd'), 0, 8, [{ literals: 4, copied: 4, distance }], 'bvx2')
    expect(failureOf(() => decode(Buffer.concat([block, end]), 8)).field).toBe('D')
  })

  test('are refused when something lies behind the frequencies', () => {
    const headerBytes = v2[24]! | (v2[25]! << 8)
    const longer = Buffer.concat([v2.subarray(0, headerBytes), Buffer.alloc(1), v2.subarray(headerBytes)])
    longer.writeUInt16LE(headerBytes + 1, 24)
    expect(failureOf(() => decode(longer, text.length)).field).toBe('header_size')
  })

  test('are refused when bits are left before the literals', () => {
    const fewer = patched(v1, 12, v1[12]! - 4)
    expect(failureOf(() => decode(fewer, text.length))).toMatchObject({ field: 'n_literals', offset: 772 })
  })

  test('are refused when matches take more literals than there are', () => {
    // A single symbol takes no bits, so that nothing but the count tells.
    const single = encodeLzfse(ascii('a'.repeat(100)), 'bvx1')
    expect(decode(single, 100)).toBe('a'.repeat(100))
    expect(failureOf(() => decode(patched(single, 12, 0), 100)).field).toBe('n_literals')
  })

  test('are refused when bits are left before the matches', () => {
    const header = v2[24]! | (v2[25]! << 8)
    const literalBytes = ((v2[10]! >> 4) | (v2[11]! << 4) | (v2[12]! << 12)) & 0xfffff
    const start = header + literalBytes
    expect(failureOf(() => decode(patched(v2, start, 1), text.length)).field).toBe('n_matches')
  })
})
