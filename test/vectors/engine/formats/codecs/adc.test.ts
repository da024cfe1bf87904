import { describe, expect, test } from 'vitest'
import { decodeRun } from '#engine/formats/codecs'
import { failureOf } from '#test/format-errors'

function decode(stored: readonly number[], lengthBytes: number): string {
  const into = new Uint8Array(lengthBytes)
  void decodeRun('adc', Uint8Array.from(stored), into)
  return Buffer.from(into).toString('latin1')
}

const abc = [0x82, 0x61, 0x62, 0x63]

describe('ADC', () => {
  test.each([
    ['nothing', [], ''],
    ['literals', abc, 'abc'],
    ['a short copy', [...abc, 0x00, 0x02], 'abcabc'],
    ['a short copy that overlaps itself', [...abc, 0x3c, 0x00], `abc${'c'.repeat(18)}`],
    ['a long copy', [...abc, 0x40, 0x00, 0x02], 'abcabca'],
    ['a long copy that repeats a pattern', [...abc, 0x7f, 0x00, 0x01], `abc${'bc'.repeat(33)}b`],
  ])('decodes %s', (_, stored, text) => {
    expect(decode(stored, text.length)).toBe(text)
  })

  test('reaches 1024 and 65536 bytes back', () => {
    const first = [0x80, 0x78]
    const zeros = (count: number) => Array.from({ length: count / 128 }, () => [0xff, ...Array<number>(128).fill(0)])
    expect(decode([...first, ...zeros(1024).flat(), 0x00, 0x00], 1028).at(-1)).toBe('\0')
    expect(decode([...first, ...zeros(1024 - 128).flat(), 0xfe, ...Array<number>(127).fill(0), 0x03, 0xff], 1027)[1024]).toBe('x')
    expect(
      decode([...first, ...zeros(65_408).flat(), 0xfe, ...Array<number>(127).fill(0), 0x40, 0xff, 0xff], 65_540)[65_536],
    ).toBe('x')
  })

  test.each([
    ['literals are cut off', [0x82, 0x61, 0x62], 3, 'token', 0],
    ['a short copy is cut off', [...abc, 0x00], 6, 'token', 4],
    ['a long copy is cut off', [...abc, 0x40, 0x00], 7, 'token', 4],
    ['a short copy reaches before the start', [...abc, 0x00, 0x03], 6, 'distance', 4],
    ['a long copy reaches before the start', [...abc, 0x40, 0xff, 0xff], 7, 'distance', 4],
    ['a copy begins the run', [0x00, 0x00], 3, 'distance', 0],
    ['literals go past the end', abc, 2, 'length', 0],
    ['a copy goes past the end', [...abc, 0x00, 0x02], 5, 'length', 4],
    ['it ends early', abc, 4, 'length', 4],
  ])('is refused when %s', (_, stored, lengthBytes, field, offset) => {
    expect(failureOf(() => decode(stored, lengthBytes))).toEqual({ code: 'E_SRC_CORRUPT', format: 'adc', field, offset })
  })
})
