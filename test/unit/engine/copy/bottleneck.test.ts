import { describe, expect, it } from 'vitest'
import { bottleneckOf } from '#src/main/engine/copy/bottleneck.ts'

const none = { readNs: 0, decodeNs: 0, waitNs: 0, storedBytesRead: 0 }

describe('what holds a copy up', () => {
  it.each([
    [
      'the destination when workers wait for room most',
      { waitNs: 60, readNs: 30, decodeNs: 30 },
      'destination',
    ],
    ['the source when they read most', { waitNs: 10, readNs: 60, decodeNs: 30 }, 'source'],
    ['decoding when they decode most', { waitNs: 10, readNs: 30, decodeNs: 60 }, 'decoding'],
    ['the destination when nothing is asked of them', {}, 'destination'],
  ] as const)('is %s', (_, spent, bottleneck) => {
    expect(bottleneckOf(none, { ...none, ...spent })).toBe(bottleneck)
  })

  it('is told of the time in between, not since the beginning', () => {
    const before = { ...none, decodeNs: 1_000_000 }
    expect(bottleneckOf(before, { ...before, readNs: 5 })).toBe('source')
  })
})
