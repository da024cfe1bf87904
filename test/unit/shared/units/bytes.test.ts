import { describe, expect, it } from 'vitest'
import { formatBytes, formatCount, formatRate, formatShare, parseSize } from '#shared/units'

describe('formatBytes', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [512, '512 bytes'],
    [999, '999 bytes'],
    [1000, '1 kB'],
    [1234, '1.23 kB'],
    [9994, '9.99 kB'],
    [9995, '10 kB'],
    [99_949, '99.9 kB'],
    [99_950, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1 MB'],
    [14_200_000_000, '14.2 GB'],
    [1_000_204_886_016, '1 TB'],
    [2e18, '2000 PB'],
    [-3_100_000_000, '−3.1 GB'],
  ])('%i is %s', (bytes, words) => {
    expect(formatBytes(bytes)).toBe(words)
  })
})

describe('formatShare', () => {
  it.each([
    [0, 0, '0 %'],
    [77, 1000, '7.7 %'],
    [995, 10_000, '10 %'],
    [363, 1000, '36 %'],
    [3, 2, '150 %'],
  ])('%i of %i is %s', (part, whole, words) => {
    expect(formatShare(part, whole)).toBe(words)
  })
})

describe('formatCount', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [5_254_000_128, '5,254,000,128'],
  ])('%i is %s', (count, text) => {
    expect(formatCount(count)).toBe(text)
  })
})

describe('formatRate', () => {
  it.each([
    [0, '0 B/s'],
    [1, '1 B/s'],
    [123_000_000, '123 MB/s'],
  ])('%i is %s', (rate, words) => {
    expect(formatRate(rate)).toBe(words)
  })
})

describe('parseSize', () => {
  it.each([
    ['1', 1],
    ['512', 512],
    ['8b', 4096],
    ['256k', 262_144],
    ['8m', 8_388_608],
    ['8M', 8_388_608],
    ['2g', 2_147_483_648],
    ['1t', 1_099_511_627_776],
    [' 1m ', 1_048_576],
  ])('%j is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it.each([
    '',
    '0',
    '0k',
    '-1',
    '1.5m',
    'm',
    '8x',
    '8mb',
    '0x10',
    '1e3',
    '99999999999999999999',
    '9007199254740993',
  ])('%j is no size', (text) => {
    expect(parseSize(text)).toBeNull()
  })
})
