import { expect, test } from 'vitest'
import { allocateExtentTable, kindIndex } from '#engine/formats/extents'
import { planPool, type PoolOptions } from '#src/main/engine/pipeline/pool-plan.ts'
import type { RunKind } from '#shared/model'

const mebibyte = 1024 * 1024

function table(...rows: [kind: RunKind, diskBytes: number, storedBytes: number][]) {
  const extents = allocateExtentTable(rows.length)
  let at = 0
  rows.forEach(([kind, diskBytes, storedBytes], row) => {
    extents.kind[row] = kindIndex[kind]
    extents.diskOffset[row] = at
    extents.diskBytes[row] = diskBytes
    extents.storedBytes[row] = storedBytes
    at += diskBytes
  })
  return extents
}
const on = { alignmentBytes: 512, cores: 4 }
const eight = { buffers: 8, bufferBytes: mebibyte }

test('the pool is what was asked for, in whole pages', () => {
  const extents = table(['raw', 10 * mebibyte, 10 * mebibyte])
  expect(planPool(extents, { buffers: 3, bufferBytes: 5000 }, on)).toMatchObject({
    slots: 3,
    windowBytes: 8192,
  })
  expect(planPool(extents, { buffers: 1, bufferBytes: 1 }, on)).toMatchObject({ slots: 1, windowBytes: 4096 })
})

test('it grows for a run that would not fit, wherever that begins', () => {
  const extents = table(['zlib', 64 * mebibyte, 30 * mebibyte])
  expect(planPool(extents, eight, on)).toMatchObject({ slots: 65, workers: 2 })
})

test('what is only read needs no threads, however many cores there are', () => {
  expect(planPool(table(['raw', mebibyte, mebibyte], ['zero', mebibyte, 0]), eight, on).crew).toBe('fibers')
  expect(planPool(table(['raw', mebibyte, mebibyte], ['adc', mebibyte, 9]), eight, on).crew).toBe('threads')
})

test('what is not compressed has a pool of its own where one was given', () => {
  const both = { ...eight, uncompressed: { buffers: 2, bufferBytes: 4 * mebibyte } }
  const raw = table(['raw', mebibyte, mebibyte])
  expect(planPool(raw, both, on)).toMatchObject({ slots: 2, windowBytes: 4 * mebibyte })
  expect(planPool(raw, { ...eight, uncompressed: null }, on)).toMatchObject({ slots: 8 })
  expect(planPool(table(['zlib', mebibyte, 9]), both, on)).toMatchObject({ slots: 8, windowBytes: mebibyte })
})

test('what is fetched has more and smaller buffers than are fetched at once', () => {
  const uncompressed = { buffers: 2, bufferBytes: 8 * mebibyte }
  const raw = table(['raw', 100 * mebibyte, 100 * mebibyte])
  const plan = (pool: PoolOptions) => planPool(raw, pool, { ...on, readsCost: 'of-small-buffers' })
  const ours = plan({ ...eight, uncompressed })
  expect(ours).toMatchObject({ slots: 8, windowBytes: 4 * mebibyte, crew: 'fibers' })
  expect(ours.workers).toBeLessThanOrEqual(ours.slots / 2)
  // Somebody's own choice stays.
  expect(plan({ buffers: 4, bufferBytes: 8 * mebibyte })).toMatchObject({
    slots: 4,
    windowBytes: 8 * mebibyte,
  })
})

test('workers are as many as cores, but no more than their memory is worth', () => {
  const small = table(['zlib', mebibyte, mebibyte / 2])
  expect(planPool(small, eight, { alignmentBytes: 512, cores: 2 }).workers).toBe(2)
  expect(planPool(small, eight, { alignmentBytes: 512, cores: 128 }).workers).toBe(4)
  const large = table(['lzma', 64 * mebibyte, 40 * mebibyte])
  expect(planPool(large, eight, { alignmentBytes: 512, cores: 8 }).workers).toBe(1)
})

test.each([
  ['sectorCount', 65 * mebibyte, 10],
  ['compLength', mebibyte, 66 * mebibyte],
])('a run too large for any pool is an error that names its %s', (field, diskBytes, storedBytes) => {
  expect(() => planPool(table(['zero', 512, 0], ['zlib', diskBytes, storedBytes]), eight, on)).toThrow(
    expect.objectContaining({
      code: 'E_SRC_CORRUPT',
      details: expect.objectContaining({ field, diskOffset: 512, found: Math.max(diskBytes, storedBytes) }),
    }),
  )
})

test('raw, zero and ignored runs may be of any size', () => {
  const huge = table(['raw', 2 ** 42, 2 ** 42], ['zero', 2 ** 50, 0], ['ignore', 2 ** 50, 0])
  expect(planPool(huge, eight, on).slots).toBe(8)
})

test.each([
  ['holds one already', mebibyte, mebibyte, { windowBytes: mebibyte, slots: 8 }],
  ['is smaller', 192 * 1024, mebibyte, { windowBytes: mebibyte, slots: 2 }],
  ['is no multiple', 3 * 512 * 1024, mebibyte, { windowBytes: 2 * mebibyte, slots: 6 }],
  ['is much smaller', 4096, 16 * mebibyte, { windowBytes: 16 * mebibyte, slots: 2 }],
])(
  'buffers hold whole units, in about the memory asked for: one that %s',
  (_, bufferBytes, unitBytes, planned) => {
    const raw = table(['raw', 2 ** 30, 2 ** 30])
    expect(planPool(raw, { buffers: 8, bufferBytes }, { ...on, unitBytes })).toMatchObject(planned)
  },
)
