import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { codeLengths } from '#src/main/engine/formats/codecs/bzip2-code-lengths.ts'
import { sortSuffixes } from '#src/main/engine/formats/codecs/suffix-sort.ts'

test('suffixes come out as comparing each with each other sorts them', () => {
  const symbols = fc
    .integer({ min: 1, max: 256 })
    .chain((count) => fc.array(fc.nat(count - 1), { maxLength: 400 }))
  fc.assert(
    fc.property(symbols, (text) => {
      const bytes = Uint8Array.from(text)
      const plainly = text
        .map((_, at) => at)
        .sort((a, b) => Buffer.compare(bytes.subarray(a), bytes.subarray(b)))
      expect([...sortSuffixes(Int32Array.from(text), 255)]).toEqual(plainly)
    }),
    { seed: 20261121, numRuns: 500 },
  )
})

test('a text that says the same again and again takes no longer than another', () => {
  const same = new Int32Array(200_000).fill(7)
  expect(sortSuffixes(same, 255)[0]).toBe(199_999)
})

test('no code is longer than asked for, however unevenly symbols occur, and all are prefix free', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(3), fc.nat(1_000_000)), { minLength: 2, maxLength: 258 }),
      (counts) => {
        const lengths = codeLengths(Uint32Array.from(counts), 17)
        expect(Math.max(...lengths)).toBeLessThanOrEqual(17)
        // Kraft: a full tree, nothing wasted.
        expect(lengths.reduce((sum, length) => sum + 2 ** -length, 0)).toBe(1)
      },
    ),
    { seed: 20261121 },
  )
  const fibonacci = Array.from({ length: 40 }).reduce<number[]>(
    (all) => [...all, (all.at(-1) ?? 0) + (all.at(-2) ?? 1)],
    [],
  )
  expect(Math.max(...codeLengths(Uint32Array.from(fibonacci), 17))).toBeLessThanOrEqual(17)
})
