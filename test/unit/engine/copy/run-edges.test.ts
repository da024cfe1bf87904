import { expect, it } from 'vitest'
import { createRunEdges } from '#src/main/engine/copy/run-edges.ts'

const bytes = (...values: readonly number[]) => Uint8Array.from(values)

it('puts a run together from parts in any order', () => {
  const edges = createRunEdges(100)
  expect(edges.add(1, { block: 5, runBytes: 4, offset: 3 }, bytes(4)).kind).toBe('kept')
  expect(edges.add(1, { block: 3, runBytes: 4, offset: 0 }, bytes(1)).kind).toBe('kept')
  expect(edges.add(1, { block: 4, runBytes: 4, offset: 1 }, bytes(2, 3))).toEqual({
    kind: 'whole',
    bytes: bytes(1, 2, 3, 4),
  })
  expect(edges.heldBytes).toBe(0)
})

it('counts a part once, however often it comes', () => {
  const edges = createRunEdges(100)
  const part = { block: 1, runBytes: 4, offset: 0 }
  expect(edges.add(1, part, bytes(1, 2)).kind).toBe('kept')
  expect(edges.add(1, part, bytes(1, 2)).kind).toBe('kept')
  expect(edges.add(1, { block: 2, runBytes: 4, offset: 2 }, bytes(3, 4)).kind).toBe('whole')
})

it('keeps no more than it may, and yet lets one run in', () => {
  const edges = createRunEdges(10)
  expect(edges.add(1, { block: 1, runBytes: 8, offset: 0 }, bytes(1)).kind).toBe('kept')
  expect(edges.add(2, { block: 2, runBytes: 8, offset: 0 }, bytes(1)).kind).toBe('kept')
  expect(edges.add(3, { block: 3, runBytes: 8, offset: 0 }, bytes(1)).kind).toBe('full')
  expect(edges.heldBytes).toBe(16)
  // The one that was let in gets finished, and makes room for the next.
  expect(edges.add(2, { block: 4, runBytes: 8, offset: 1 }, new Uint8Array(7)).kind).toBe('whole')
  expect(edges.add(3, { block: 3, runBytes: 8, offset: 0 }, bytes(1)).kind).toBe('kept')
})
