import { describe, expect, it } from 'vitest'
import { edgesOf, unreadRowsOf } from '#src/main/engine/create/volume-edges.ts'

const mib = 1024 ** 2

describe('the edges of a volume', () => {
  it('are its first 4 MiB with the block behind, where a second header of LUKS2 may lie, and its last MiB', () => {
    expect(edgesOf(mib, 8 * mib)).toEqual([
      [mib, 5 * mib + 4096],
      [8 * mib, 9 * mib],
    ])
  })

  it('are all of a small one, and whole sectors from where they begin', () => {
    expect(edgesOf(512, mib)).toEqual([[512, mib + 512]])
    expect(edgesOf(512, 5 * mib + 4096)).toEqual([[512, 5 * mib + 4096 + 512]])
    expect(edgesOf(0, 8 * mib + 100)[1]).toEqual([7 * mib, 8 * mib + 100])
  })
})

describe('what is not read', () => {
  const edges = [...edgesOf(0, 8 * mib), ...edgesOf(10 * mib, 8 * mib)]

  it('is zeros at the edges and ignored between', () => {
    expect(unreadRowsOf(edges)(4096, 12 * mib)).toEqual([
      { from: 4096, to: 4 * mib + 4096, kind: 'zero' },
      { from: 4 * mib + 4096, to: 7 * mib, kind: 'ignore' },
      { from: 7 * mib, to: 8 * mib, kind: 'zero' },
      { from: 8 * mib, to: 10 * mib, kind: 'ignore' },
      { from: 10 * mib, to: 12 * mib, kind: 'zero' },
    ])
  })

  it('is asked for gap by gap, from the beginning on', () => {
    const rows = unreadRowsOf(edges)
    expect(rows(4096, 8192)).toEqual([{ from: 4096, to: 8192, kind: 'zero' }])
    expect(rows(6 * mib, 7 * mib + 4096)).toEqual([
      { from: 6 * mib, to: 7 * mib, kind: 'ignore' },
      { from: 7 * mib, to: 7 * mib + 4096, kind: 'zero' },
    ])
    expect(rows(7 * mib + 8192, 9 * mib)).toEqual([
      { from: 7 * mib + 8192, to: 8 * mib, kind: 'zero' },
      { from: 8 * mib, to: 9 * mib, kind: 'ignore' },
    ])
    expect(rows(18 * mib, 19 * mib)).toEqual([{ from: 18 * mib, to: 19 * mib, kind: 'ignore' }])
  })

  it('is nothing where nothing is left out, and ignored where there are no edges', () => {
    expect(unreadRowsOf(edges)(mib, mib)).toEqual([])
    expect(unreadRowsOf([])(0, mib)).toEqual([{ from: 0, to: mib, kind: 'ignore' }])
  })
})
