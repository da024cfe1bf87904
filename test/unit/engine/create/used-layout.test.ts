import { describe, expect, it } from 'vitest'
import { kindIndex } from '#engine/formats/extents'
import { rawLayout } from '#engine/formats/raw'
import { runKinds } from '#shared/model'
import { usedLayout } from '#src/main/engine/create/used-layout.ts'

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

  it('is one gap when nothing is used', () => {
    const { extents } = usedLayout(rawLayout('/dev/x', 8192), [])
    expect([extents.count, extents.diskBytes[0], extents.kind[0]]).toEqual([1, 8192, kindIndex.ignore])
  })
})
