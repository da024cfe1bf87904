import { describe, expect, it } from 'vitest'
import type { ImageFormat } from '#shared/model'
import { comparedSize, conversionTime } from '#shared/words'

describe('how long a conversion takes', () => {
  const GB = 1e9
  const info = {
    path: '/a.img',
    format: 'raw' as ImageFormat,
    sizeBytes: 20 * GB,
    dataBytes: null as number | null,
  }
  const plainly = { format: 'UDZO', level: null } as const

  it('is told roughly, by what is to be compressed', () => {
    expect(conversionTime(info, plainly)).toBe('about 4 minutes')
    expect(conversionTime({ ...info, dataBytes: 2 * GB }, plainly)).toBe('about 30 seconds')
    expect(conversionTime(info, { format: 'ULMO', level: null })).toBe('about 30 minutes')
    expect(conversionTime(info, { format: 'raw', level: null })).toBe('about 2 minutes')
  })

  it('counts what has to be expanded first', () => {
    expect(conversionTime({ ...info, format: 'UDBZ' }, plainly)).toBe('about 11 minutes')
  })

  it('is not told where nothing was measured: of another level, of a stream, over the network, of no known size', () => {
    expect(conversionTime(info, { format: 'UDZO', level: 6 })).toBe('about 4 minutes')
    expect(conversionTime(info, { format: 'UDZO', level: 9 })).toBeNull()
    expect(conversionTime({ ...info, format: 'raw.xz' }, plainly)).toBeNull()
    expect(conversionTime({ ...info, path: 'https://lab/a.img' }, plainly)).toBeNull()
    expect(conversionTime({ ...info, sizeBytes: null }, plainly)).toBeNull()
  })
})

it('compares what was written with the source', () => {
  expect(comparedSize(4_900, 5_100)).toBe("96 % of the source's size")
  expect(comparedSize(12_345, 1_000)).toBe("12 times the source's size")
})
