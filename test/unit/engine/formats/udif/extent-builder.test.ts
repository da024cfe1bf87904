import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kindIndex } from '#engine/formats/extents'
import { ExtentBuilder } from '#src/main/engine/formats/udif/extent-builder.ts'
import { failureOf } from '#test/format-errors'
import { rowsOf } from '#test/read-built-udif'

type Row = readonly [start: number, length: number]

/** Raw rows, each stored at its place in the list so that it can be recognised; reserved in groups as tables are. */
function build(rows: readonly Row[], sizeBytes: number, groups: readonly number[] = [rows.length]) {
  const builder = new ExtentBuilder()
  let from = 0
  for (const group of groups) {
    builder.reserve(group)
    rows
      .slice(from, from + group)
      .forEach(([start, length], index) => builder.add(kindIndex.raw, start, length, from + index, length))
    from += group
  }
  return builder.finish(sizeBytes, 99)
}

/** The same by the plainest means. */
function expected(rows: readonly Row[], sizeBytes: number): string[] {
  const sorted = rows
    .map(([start, length], index) => ({ start, length, index }))
    .toSorted((a, b) => a.start - b.start)
  const result: string[] = []
  let end = 0
  for (const { start, length, index } of sorted) {
    if (start > end) result.push(`ignore ${end}+${start - end}`)
    result.push(`raw ${start}+${length} @${index}+${length}`)
    end = start + length
  }
  if (end < sizeBytes) result.push(`ignore ${end}+${sizeBytes - end}`)
  return result
}

/** Rows without overlap, in any order, with gaps here and there. */
const anyRows = fc
  .array(
    fc.record({ gap: fc.constantFrom(0, 0, 1, 5), length: fc.integer({ min: 1, max: 4 }), order: fc.nat() }),
    {
      maxLength: 60,
    },
  )
  .map((pieces) => {
    let end = 0
    const rows = pieces.map(({ gap, length, order }) => {
      const start = end + gap
      end = start + length
      return { row: [start, length] as const, order }
    })
    return { rows, end }
  })

describe('the extent builder', () => {
  it('keeps rows that come in order', () => {
    expect(
      rowsOf(
        build(
          [
            [0, 2],
            [2, 3],
          ],
          5,
        ),
      ),
    ).toEqual(['raw 0+2 @0+2', 'raw 2+3 @1+3'])
  })

  it('makes one ignored row of a disk without runs', () => {
    expect(rowsOf(build([], 5))).toEqual(['ignore 0+5'])
  })

  it('sorts and fills any rows as the plainest means do', () => {
    fc.assert(
      fc.property(anyRows, fc.boolean(), fc.nat(3), (any, shuffle, tail) => {
        const rows = (shuffle ? any.rows.toSorted((a, b) => a.order - b.order) : any.rows).map(
          ({ row }) => row,
        )
        const sizeBytes = any.end + tail
        fc.pre(sizeBytes > 0)
        expect(rowsOf(build(rows, sizeBytes))).toEqual(expected(rows, sizeBytes))
      }),
    )
  })

  it('keeps its rows when room is made bit by bit', () => {
    const rows = Array.from({ length: 100 }, (_, index) => [index * 2, 1] as const)
    expect(rowsOf(build(rows, 200, [0, 1, 2, 30, 67]))).toEqual(expected(rows, 200))
  })

  it('makes room by itself when more comes than was announced', () => {
    const builder = new ExtentBuilder()
    builder.add(kindIndex.raw, 0, 1, 0, 1)
    builder.add(kindIndex.zero, 1, 1, 0, 0)
    expect(rowsOf(builder.finish(2, 0))).toEqual(['raw 0+1 @0+1', 'zero 1+1'])
  })

  it('refuses rows that overlap, in order or not', () => {
    for (const rows of [
      [
        [0, 2],
        [1, 2],
      ],
      [
        [1, 2],
        [0, 2],
      ],
      [
        [0, 1],
        [0, 1],
      ],
      [
        [5, 1],
        [0, 6],
        [9, 1],
      ],
    ] as const)
      expect(failureOf(() => build(rows, 10))).toEqual({
        code: 'E_SRC_CORRUPT',
        format: 'udif',
        field: 'chunkRun.startSector',
        offset: 99,
      })
  })

  it('counts the kinds it was given, not the gaps', () => {
    const builder = new ExtentBuilder()
    builder.reserve(3)
    builder.add(kindIndex.zlib, 4, 1, 0, 1)
    builder.add(kindIndex.zero, 5, 1, 0, 0)
    builder.add(kindIndex.zlib, 9, 1, 0, 1)
    expect(builder.runCounts()).toEqual({ zlib: 2, zero: 1 })
    builder.finish(20, 0)
    expect(builder.runCounts()).toEqual({ zlib: 2, zero: 1 })
  })

  it('lies in shared memory, whole', () => {
    const table = build([[0, 1]], 1)
    expect(table.diskOffset.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(table.kind.length).toBe(table.count)
  })
})
