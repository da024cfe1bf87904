import { describe, expect, it } from 'vitest'
import { BadStretches, UsedRanges, withoutBad } from '#engine/formats/filesystem'

function badOf(stretches: readonly (readonly [number, number])[], most?: number): BadStretches {
  const bad = new BadStretches(most === undefined ? {} : { most })
  for (const [from, to] of stretches) bad.add(from, to)
  return bad
}

function rangesOf(stretches: readonly (readonly [number, number])[]): UsedRanges {
  const ranges = new UsedRanges()
  for (const [from, to] of stretches) ranges.add(from, to)
  return ranges
}

describe('bad stretches', () => {
  it('join what touches or overlaps, and leave out what is empty', () => {
    const bad = badOf([
      [0, 5],
      [5, 7],
      [6, 6],
      [12, 14],
      [13, 15],
      [14, 14],
    ])
    expect([...bad]).toEqual([
      [0, 7],
      [12, 15],
    ])
    expect(() => bad.add(11, 20)).toThrow(RangeError)
  })

  it('are never widened, however many there are', () => {
    const bad = badOf([], 3)
    for (let at = 0; at < 100; at += 10) bad.add(at, at + 5)
    expect([...bad]).toEqual([
      [0, 5],
      [10, 15],
      [20, 25],
    ])
  })

  it('are taken away from what is in use', () => {
    const ranges = rangesOf([
      [10, 20],
      [30, 40],
      [50, 60],
      [70, 80],
    ])
    const bad = badOf([
      [0, 5],
      [12, 14],
      [13, 15],
      [18, 33],
      [35, 36],
      [45, 75],
    ])
    expect([...withoutBad(ranges, bad)]).toEqual([
      [10, 12],
      [15, 18],
      [33, 35],
      [36, 40],
      [75, 80],
    ])
    expect([...withoutBad(ranges, badOf([]))]).toEqual([...ranges])
  })

  it('are still away where they make more pieces than are kept otherwise', () => {
    const ranges = rangesOf([[0, 1000]])
    const bad = badOf([
      [10, 20],
      [30, 40],
      [990, 1000],
    ])
    expect([...withoutBad(ranges, bad)]).toEqual([
      [0, 10],
      [20, 30],
      [40, 990],
    ])
  })
})
