import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createErasureCode, maxSourceSymbols, maxSymbols } from '#engine/multicast/fec'
import { slowMultiply, slowRebuild, slowSymbol } from '#test/slow-erasure-code'
import { multiply } from '#src/main/engine/multicast/fec/galois.ts'

const symbolBytes = 16
const code = createErasureCode(symbolBytes)

const section = fc.integer({ min: 1, max: maxSourceSymbols }).chain((count) =>
  fc.uint8Array({ minLength: count * symbolBytes, maxLength: count * symbolBytes }).map((bytes) => ({
    count,
    bytes,
    symbols: Array.from({ length: count }, (_, index) =>
      bytes.slice(index * symbolBytes, (index + 1) * symbolBytes),
    ),
  })),
)

/** Every symbol of a section, by number. */
function encodeAll(bytes: Uint8Array, count: number): Uint8Array[] {
  code.load(bytes)
  return Array.from({ length: maxSymbols }, (_, number) => {
    if (number < count) return bytes.slice(number * symbolBytes, (number + 1) * symbolBytes)
    const into = new Uint8Array(symbolBytes)
    code.repair(number, into)
    return into
  })
}

/** What a receiver does with the symbols it has. */
function rebuild(all: readonly Uint8Array[], count: number, numbers: readonly number[]): Uint8Array {
  const sources = new Uint8Array(count * symbolBytes).fill(0xee)
  for (const number of numbers) if (number < count) sources.set(all[number]!, number * symbolBytes)
  const missing = Array.from({ length: count }, (_, index) => index).filter((n) => !numbers.includes(n))
  const repairs = numbers
    .filter((number) => number >= count)
    .map((number) => ({ number, bytes: all[number]! }))
  code.rebuild(sources, missing, repairs)
  return sources
}

describe('the erasure code', () => {
  test('multiplies as polynomials do', () => {
    const every = Array.from({ length: 65_536 }, (_, index) => [index >> 8, index & 255] as const)
    expect(every.filter(([a, b]) => multiply(a, b) !== slowMultiply(a, b))).toEqual([])
  })

  test('gives a section back from any K of its 256 symbols', () => {
    fc.assert(
      fc.property(
        section,
        fc.shuffledSubarray(
          Array.from({ length: maxSymbols }, (_, number) => number),
          { minLength: maxSourceSymbols },
        ),
        ({ count, bytes }, order) => {
          expect(rebuild(encodeAll(bytes, count), count, order.slice(0, count))).toEqual(bytes)
        },
      ),
      { numRuns: 60, seed: 4 },
    )
  })

  test('makes the repair symbols of its definition', () => {
    fc.assert(
      fc.property(
        section,
        fc.integer({ min: maxSourceSymbols, max: 255 }),
        ({ bytes, count, symbols }, number) => {
          expect(encodeAll(bytes, count)[number]).toEqual(slowSymbol(symbols, number))
        },
      ),
      { numRuns: 30, seed: 5 },
    )
  })

  test('agrees with Gaussian elimination on what was lost', () => {
    const count = 24
    const bytes = Uint8Array.from({ length: count * symbolBytes }, (_, index) => (index * index) % 251)
    const all = encodeAll(bytes, count)
    const numbers = [
      3,
      5,
      9,
      23,
      24,
      99,
      255,
      130,
      77,
      ...Array.from({ length: 15 }, (_, index) => 200 + index),
    ]
    const slow = slowRebuild(numbers.map((number) => ({ number, bytes: all[number]! })))
    expect(Buffer.concat(slow)).toEqual(Buffer.from(rebuild(all, count, numbers)))
    expect(Buffer.concat(slow)).toEqual(Buffer.from(bytes))
  })

  test('works on whole datagrams, and on sizes that no stride of the kernel divides', () => {
    for (const bytesEach of [16, 48, 80, 1408, 8864]) {
      const wide = createErasureCode(bytesEach)
      const sources = Uint8Array.from({ length: 9 * bytesEach }, (_, index) => (index * 31) >> 2)
      wide.load(sources)
      const repairs = [9, 200].map((number) => ({ number, bytes: new Uint8Array(bytesEach) }))
      for (const { number, bytes } of repairs) wide.repair(number, bytes)
      const damaged = sources
        .slice()
        .fill(1, 0, bytesEach)
        .fill(2, 8 * bytesEach)
      wide.rebuild(damaged, [0, 8], repairs)
      expect(Buffer.compare(damaged, sources)).toBe(0)
    }
  })

  test('refuses what no section can be', () => {
    expect(() => createErasureCode(100)).toThrow(/100/)
    expect(() => code.load(new Uint8Array(symbolBytes * 129))).toThrow(/section/)
    code.load(new Uint8Array(symbolBytes * 2))
    expect(() => code.repair(1, new Uint8Array(symbolBytes))).toThrow(/repair symbol 1/)
    expect(() => code.rebuild(new Uint8Array(symbolBytes * 2), [0], [])).toThrow(/0 repair symbols for 1/)
  })
})
