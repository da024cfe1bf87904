import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { WrittenExtents } from '#src/main/engine/block-io/written-extents.ts'

test('knows of every stretch whether any of it was written', () => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'add', 'add', 'cut', 'touches'),
    from: fc.nat(60),
    length: fc.nat(12),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const extents = new WrittenExtents()
      const answers: boolean[] = []
      const right: boolean[] = []
      let model = new Uint8Array(100)
      for (const { kind, from, length } of steps) {
        const to = from + length
        if (kind === 'add') {
          extents.add(from, to)
          model.fill(1, from, to)
        } else if (kind === 'cut') {
          extents.cut(from)
          model = model.fill(0, from)
        } else {
          answers.push(extents.touches(from, to))
          right.push(model.subarray(from, to).includes(1))
        }
      }
      expect(answers).toEqual(right)
      for (let at = 0; at < 100; at++) expect(extents.touches(at, at + 1)).toBe(model[at] === 1)
    }),
    { numRuns: 500, seed: 5 },
  )
})
