import { describe, expect, it } from 'vitest'
import { addBitmap, UsedRanges } from '#src/main/engine/formats/filesystem/used-ranges.ts'

describe('used ranges', () => {
  it('join what touches or overlaps, and keep the rest apart', () => {
    const ranges = new UsedRanges()
    for (const [from, to] of [
      [0, 10],
      [10, 20],
      [15, 18],
      [30, 30],
      [40, 50],
    ] as const)
      ranges.add(from, to)
    expect([...ranges]).toEqual([
      [0, 20],
      [40, 50],
    ])
    expect(ranges.usedBytes).toBe(30)
  })

  it('know whether all of a stretch is in use', () => {
    const ranges = new UsedRanges()
    expect(ranges.covers(0, 1)).toBe(false)
    for (let from = 10; from < 100; from += 20) ranges.add(from, from + 10)
    expect([10, 11, 30, 90].map((from) => ranges.covers(from, from + 9))).toEqual([true, true, true, true])
    expect([0, 9, 12, 20, 100].map((from) => ranges.covers(from, from + 9))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
    expect(ranges.covers(5, 5)).toBe(true)
  })

  it('refuse to go back', () => {
    const ranges = new UsedRanges()
    ranges.add(100, 200)
    expect(() => ranges.add(50, 60)).toThrow(RangeError)
  })

  it('never lose a byte when there are more than may be kept', () => {
    const most = 64
    const ranges = new UsedRanges({ most })
    const added: number[] = []
    for (let index = 0; index < 5000; index++) {
      const from = index * 10_000 + (index % 7) * 500
      ranges.add(from, from + 100)
      added.push(from, from + 99)
    }
    expect(ranges.count).toBeLessThanOrEqual(most)
    const all = [...ranges]
    expect(added.every((byte) => all.some(([from, to]) => byte >= from && byte < to))).toBe(true)
    expect(all.every(([from], index) => index === 0 || from > (all[index - 1]?.[1] ?? 0))).toBe(true)
  })
})

describe('a bitmap', () => {
  const read = (bytes: number[], count: number, first: 'lowest' | 'highest') => {
    const ranges = new UsedRanges()
    const free = addBitmap(ranges, {
      bits: Uint8Array.from(bytes),
      count,
      first,
      unitBytes: 10,
      offset: 1000,
    })
    return { free, ranges: [...ranges] }
  }

  it('begins with the lowest bit of a byte', () => {
    expect(read([0b0000_0111, 0xff, 0x00, 0b1000_0000], 32, 'lowest')).toEqual({
      free: 5 + 8 + 7,
      ranges: [
        [1000, 1030],
        [1080, 1160],
        [1310, 1320],
      ],
    })
  })

  it("begins with the highest on Apple's disks", () => {
    expect(read([0b1110_0000, 0b0000_0001], 16, 'highest')).toEqual({
      free: 12,
      ranges: [
        [1000, 1030],
        [1150, 1160],
      ],
    })
  })

  it('ends where it ends, though its last byte goes on', () => {
    expect(read([0xff, 0xff], 11, 'lowest')).toEqual({ free: 0, ranges: [[1000, 1110]] })
    expect(read([0xff, 0x00], 11, 'lowest')).toEqual({ free: 3, ranges: [[1000, 1080]] })
  })
})
