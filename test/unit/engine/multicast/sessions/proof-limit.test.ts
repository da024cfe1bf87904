import { describe, expect, test } from 'vitest'
import { createProofLimit } from '#src/main/engine/multicast/sessions/proof-limit.ts'

const minuteMs = 60_000

/** Guess as soon as it may be, so often. Returns when each guess was made. */
function guess(limit: ReturnType<typeof createProofLimit>, address: string, count: number) {
  const times: number[] = []
  for (let nowMs = 0; times.length < count;) {
    const waitMs = limit.waitMs(address, nowMs)
    nowMs += waitMs
    if (waitMs > 0) continue
    limit.failed(address, nowMs)
    times.push(nowMs)
  }
  return times
}

const address = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`

describe('wrong passwords', () => {
  test('from one address cost nothing at first, then each twice as long as the one before, a minute at most', () => {
    const times = guess(createProofLimit(), 'a', 14)
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    expect(waits).toEqual([0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60].map((seconds) => seconds * 1000))
  })

  test('say how long the next one has to wait', () => {
    const limit = createProofLimit()
    expect([0, 0, 0].map((nowMs) => limit.failed('a', nowMs))).toEqual([0, 0, 1000])
    expect([0, 400, 999, 1000].map((nowMs) => limit.waitMs('a', nowMs))).toEqual([1000, 600, 1, 0])
  })

  test('are forgotten a quarter of an hour after the last one', () => {
    const limit = createProofLimit()
    const last = guess(limit, 'a', 8).at(-1) ?? 0
    limit.failed('a', last + 14 * minuteMs)
    expect(limit.waitMs('a', last + 14 * minuteMs)).toBeGreaterThan(0)
    const later = last + 29 * minuteMs
    expect([limit.failed('a', later), limit.failed('a', later), limit.failed('a', later)]).toEqual([
      0, 0, 1000,
    ])
  })

  test('from one address make no other wait', () => {
    const limit = createProofLimit()
    guess(limit, 'a', 20)
    expect([limit.waitMs('b', 0), limit.failed('b', 0), limit.waitMs('b', 0)]).toEqual([0, 0, 0])
  })

  test('from many addresses share six a minute, once each has had its first ones', () => {
    const limit = createProofLimit()
    const many = 200
    let guesses = 0
    for (let nowMs = 0; nowMs < 15 * minuteMs; nowMs += 1000)
      for (let index = 0; index < many; index++)
        if (limit.waitMs(address(index), nowMs) === 0) {
          limit.failed(address(index), nowMs)
          guesses += 1
        }
    expect(guesses).toBeLessThanOrEqual(many * 3 + 15 * 6)
    // Meanwhile one that was never wrong, or mistyped, is looked at at once.
    expect(limit.waitMs('192.168.0.1', 15 * minuteMs - 1)).toBe(0)
    limit.failed('192.168.0.1', 15 * minuteMs - 1)
    expect(limit.waitMs('192.168.0.1', 15 * minuteMs - 1)).toBe(0)
  })

  test('from more addresses than are remembered give nobody more guesses', () => {
    const limit = createProofLimit()
    let guesses = 0
    for (let index = 0; index < 100_000; index++)
      if (limit.waitMs(address(index), index) === 0) {
        limit.failed(address(index), index)
        guesses += 1
      }
    expect(guesses).toBeLessThanOrEqual(1024 + 30 + 10)
    // When those on record are forgotten, newcomers are looked at again.
    expect(limit.waitMs('192.168.0.1', 100_000)).toBeGreaterThan(0)
    expect(limit.waitMs('192.168.0.1', 100_000 + 15 * minuteMs)).toBe(0)
  })
})
