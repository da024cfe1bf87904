import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planStream, wrongSize } from '#engine/multicast/layout'

const mebibyte = 1024 * 1024

describe('a stream layout', () => {
  test('cuts a block of 1 MiB into six sections of nearly the same size', () => {
    const layout = planStream({ sizeBytes: 2 * mebibyte, blockBytes: mebibyte, symbolBytes: 1408 })
    expect(layout).toMatchObject({ blocks: 2, sections: 12, sourceSymbols: 2 * 745 })
    expect(Array.from({ length: 6 }, (_, section) => layout.sourceSymbolsOf(section))).toEqual([
      125, 124, 124, 124, 124, 124,
    ])
    expect(layout.paddedLengthOf(0)).toBe(745 * 1408)
    expect(layout.placeOf(7)).toEqual({ block: 1, sourceSymbols: 124, offset: 125 * 1408 })
  })

  test('gives a short last block fewer sections', () => {
    const layout = planStream({ sizeBytes: mebibyte + 1409, blockBytes: mebibyte, symbolBytes: 1408 })
    expect(layout).toMatchObject({ blocks: 2, sections: 7, sourceSymbols: 747 })
    expect(layout.lengthOf(1)).toBe(1409)
    expect(layout.placeOf(6)).toEqual({ block: 1, sourceSymbols: 2, offset: 0 })
  })

  test('covers every byte once, whatever the sizes', () => {
    const sizes = fc
      .record({ symbols: fc.integer({ min: 1, max: 4 }), rows: fc.integer({ min: 1, max: 400 }) })
      .chain(({ symbols, rows }) =>
        fc.record({
          symbolBytes: fc.constant(symbols * 16),
          blockBytes: fc.integer({ min: symbols * 16, max: symbols * 16 * rows + 15 }),
          sizeBytes: fc.integer({ min: 1, max: 30_000 }),
        }),
      )
    fc.assert(
      fc.property(sizes, (sizes) => {
        const layout = planStream(sizes)
        const places = Array.from({ length: layout.sections }, (_, section) => layout.placeOf(section))
        let end = 0
        places.forEach(({ block, sourceSymbols, offset }, section) => {
          const isFirst = section === layout.firstSectionOf(block)
          const isLast = section === layout.firstSectionOf(block) + layout.sectionsOf(block) - 1
          const wholeSymbols = Math.ceil(layout.lengthOf(block) / sizes.symbolBytes)
          end = (isFirst ? 0 : end) + sourceSymbols
          expect(offset).toBe((end - sourceSymbols) * sizes.symbolBytes)
          expect(sourceSymbols > 0 && sourceSymbols <= 128).toBe(true)
          expect(isLast).toBe(end === wholeSymbols)
          expect(layout.paddedLengthOf(block)).toBe(wholeSymbols * sizes.symbolBytes)
        })
        expect(layout.lengthOf(layout.blocks - 1) + (layout.blocks - 1) * sizes.blockBytes).toBe(
          sizes.sizeBytes,
        )
      }),
      { numRuns: 100, seed: 7 },
    )
  })

  test.each([
    [{ sizeBytes: 0, blockBytes: mebibyte, symbolBytes: 1408 }, 'sizeBytes'],
    [{ sizeBytes: 2 ** 53, blockBytes: mebibyte, symbolBytes: 1408 }, 'sizeBytes'],
    [{ sizeBytes: 5, blockBytes: 0, symbolBytes: 1408 }, 'blockBytes'],
    [{ sizeBytes: 5, blockBytes: 2 ** 31, symbolBytes: 1408 }, 'blockBytes'],
    [{ sizeBytes: 5, blockBytes: mebibyte, symbolBytes: 1400 }, 'symbolBytes'],
    [{ sizeBytes: 5, blockBytes: mebibyte, symbolBytes: 65520 }, 'symbolBytes'],
  ])('%j has an impossible %s', (sizes, field) => {
    expect(wrongSize(sizes)).toBe(field)
  })
})
