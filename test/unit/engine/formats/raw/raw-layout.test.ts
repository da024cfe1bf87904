import { describe, expect, it } from 'vitest'
import { rawLayout } from '#engine/formats/raw'
import { rowsOf } from '#test/read-built-udif'

describe('the layout of a raw image', () => {
  it('is one raw row', () => {
    const layout = rawLayout('/a.img', 4096)
    expect(rowsOf(layout.extents)).toEqual(['raw 0+4096 @0+4096'])
    expect(layout).toMatchObject({
      sizeBytes: 4096,
      parts: [{ path: '/a.img', streamOffset: 0, fileOffset: 0, lengthBytes: 4096 }],
      checks: [],
      storedChecks: [],
    })
  })

  it('ends in zeros where the file ends inside a sector', () => {
    const layout = rawLayout('/a.img', 4097)
    expect(rowsOf(layout.extents)).toEqual(['raw 0+4096 @0+4096', 'raw 4096+512 @4096+1'])
    expect(layout.sizeBytes).toBe(4608)
    expect(rowsOf(rawLayout('/a.img', 511).extents)).toEqual(['raw 0+512 @0+511'])
  })
})
