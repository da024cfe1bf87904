import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DifferingParts } from '#engine/block-io'
import { isPartMarks, partMarks } from '#shared/model'

describe('the parts that differ', () => {
  it('are marked by what was compared in them', () => {
    const parts = new DifferingParts(partMarks * 10)
    parts.add(0, 25, true)
    parts.add(25, 20, false)
    parts.add(480, 20, false)
    expect(parts.marks()).toBe(`..-xx${' '.repeat(43)}xx`)
  })

  it('are none where nothing was compared, and nothing lies past the end', () => {
    const parts = new DifferingParts(1000)
    parts.add(1000, 10, false)
    parts.add(20, 0, false)
    expect(parts.marks()).toBe(' '.repeat(partMarks))
    parts.add(990, 100, false)
    expect(parts.marks()).toBe(`${' '.repeat(partMarks - 1)}x`)
    expect(new DifferingParts(0).marks()).toBe(' '.repeat(partMarks))
  })

  it('are those in which a byte lies, of any size', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 2 ** 52 })),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (sizeBytes, start, share) => {
          const offset = Math.floor(start * sizeBytes)
          const lengthBytes = Math.max(1, Math.floor(share * (sizeBytes - offset)))
          const parts = new DifferingParts(sizeBytes)
          parts.add(offset, lengthBytes, false)
          const marks = parts.marks()
          expect(isPartMarks(marks)).toBe(true)
          const startOf = (part: number) => Math.ceil((part * sizeBytes) / partMarks)
          for (let part = 0; part < partMarks; part++) {
            const touches =
              startOf(part + 1) > startOf(part) &&
              startOf(part) < offset + lengthBytes &&
              startOf(part + 1) > offset
            expect(marks[part], `part ${part}`).toBe(touches ? 'x' : ' ')
          }
        },
      ),
    )
  })
})
