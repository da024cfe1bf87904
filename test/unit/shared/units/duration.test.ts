import { describe, expect, it } from 'vitest'
import { formatClock, formatRemaining } from '#shared/units'

describe('formatClock', () => {
  it.each([
    [0, '0:00'],
    [7400, '0:07'],
    [760_000, '12:40'],
    [3_723_000, '1:02:03'],
    [-5, '0:00'],
    [59_600, '1:00'],
  ])('%i ms is %s', (ms, text) => {
    expect(formatClock(ms)).toBe(text)
  })
})

describe('formatRemaining', () => {
  it.each([
    [0, 'less than 5 seconds'],
    [4999, 'less than 5 seconds'],
    [36_000, 'about 40 seconds'],
    [54_000, 'about 55 seconds'],
    [60_000, 'about a minute'],
    [360_000, 'about 6 minutes'],
    [3_540_000, 'about an hour'],
    [5_400_000, 'about 1.5 hours'],
    [7_200_000, 'about 2 hours'],
  ])('%i ms is %s', (ms, words) => {
    expect(formatRemaining(ms)).toBe(words)
  })
})
