import { describe, expect, it } from 'vitest'
import { kindIndex } from '#engine/formats/extents'
import { rawLayout } from '#engine/formats/raw'
import { runKinds } from '#shared/model'
import { usedLayout } from '#src/main/engine/create/used-layout.ts'

const mib = 1024 ** 2

describe('a layout of used stretches', () => {
  it('covers the whole disk, and reads nothing else', () => {
    const { extents, sizeBytes } = usedLayout(rawLayout('/dev/x', 100_352), [
      [4096, 8192],
      [12_288, 100_352],
    ])
    const rows = Array.from({ length: extents.count }, (_, row) => [
      runKinds[extents.kind[row] ?? 0],
      extents.diskOffset[row],
      extents.diskBytes[row],
      extents.kind[row] === kindIndex.raw ? extents.storedOffset[row] : null,
    ])
    expect(rows).toEqual([
      ['ignore', 0, 4096, null],
      ['raw', 4096, 4096, 4096],
      ['ignore', 8192, 4096, null],
      ['raw', 12_288, 88_064, 12_288],
    ])
    expect(sizeBytes).toBe(100_352)
  })

  it('has zeros where the edges of a volume are not read', () => {
    const { extents } = usedLayout(rawLayout('/dev/x', 16_384), [[4096, 8192]], [[0, 10_240]])
    const rows = Array.from({ length: extents.count }, (_, row) => [
      runKinds[extents.kind[row] ?? 0],
      extents.diskOffset[row],
      extents.diskBytes[row],
      extents.storedBytes[row],
    ])
    expect(rows).toEqual([
      ['zero', 0, 4096, 0],
      ['raw', 4096, 4096, 4096],
      ['zero', 8192, 2048, 0],
      ['ignore', 10_240, 6144, 0],
    ])
  })

  it('looks at each edge once, however many gaps there are', () => {
    const edges = Array.from({ length: 200 }, (_, index) => [index * mib, index * mib + 8192] as const)
    const used = Array.from(
      { length: 12_800 },
      (_, index) => [index * 16_384, index * 16_384 + 4096] as const,
    )
    let looks = 0
    const counted = new Proxy(edges, {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) looks += 1
        return Reflect.get(target, key) as unknown
      },
    })
    const { extents } = usedLayout(rawLayout('/dev/x', 200 * mib), used, counted)
    expect(extents.count).toBe(12_800 * 2 + 200)
    expect(looks).toBeLessThan(12_800 * 8)
  })

  it('is one gap when nothing is used', () => {
    const { extents } = usedLayout(rawLayout('/dev/x', 8192), [])
    expect([extents.count, extents.diskBytes[0], extents.kind[0]]).toEqual([1, 8192, kindIndex.ignore])
  })
})
