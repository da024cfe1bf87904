import { describe, expect, it } from 'vitest'
import { StretchPace } from '#src/main/engine/block-io/stretch-pace.ts'

const mib = 1024 * 1024

/** Begins with 8 MiB, four at least; under 100 ms is quick, above 400 ms slow. */
function startPace() {
  let nowMs = 0
  const pace = new StretchPace({
    firstBytes: 8 * mib,
    leastBytes: 4 * mib,
    quickMs: 100,
    slowMs: 400,
    now: () => nowMs,
  })
  const give = (lengthMib: number, tookMs: number) =>
    pace.time(lengthMib * mib, async () => void (nowMs += tookMs))
  return { pace, give, now: () => pace.bytes / mib, pass: (ms: number) => void (nowMs += ms) }
}

describe('the pace at which a device is given stretches', () => {
  it('doubles when a stretch is quick, and halves when it is slow, down to the least', async () => {
    const { give, now } = startPace()
    await give(8, 99)
    expect(now()).toBe(16)
    await give(16, 200)
    expect(now()).toBe(16)
    for (const expected of [8, 4, 4]) {
      await give(now(), 401)
      expect(now()).toBe(expected)
    }
  })

  it('learns nothing from a stretch that is quick because it is short', async () => {
    const { give, now } = startPace()
    for (let i = 0; i < 8; i++) await give(3, 0)
    expect(now()).toBe(8)
    await give(4, 0)
    expect(now()).toBe(16)
  })

  it('changes once for all those that were under way together', async () => {
    const { pace, now, pass } = startPace()
    const ends = [0, 1, 2].map(() => Promise.withResolvers<void>())
    const all = ends.map(({ promise }) => pace.time(8 * mib, () => promise))
    for (const { resolve } of ends) resolve()
    await Promise.all(all)
    expect(now()).toBe(16)

    const more = [0, 1, 2].map(() => Promise.withResolvers<void>())
    const slow = more.map(({ promise }) => pace.time(16 * mib, () => promise))
    pass(500)
    for (const { resolve } of more) resolve()
    await Promise.all(slow)
    expect(now()).toBe(8)
  })

  it('follows one that was slow, though another that began with it was quick', async () => {
    const { pace, now, pass } = startPace()
    const [quick, slow] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const first = pace.time(8 * mib, () => quick.promise)
    const second = pace.time(8 * mib, () => slow.promise)
    quick.resolve()
    await first
    expect(now()).toBe(16)
    pass(500)
    slow.resolve()
    await second
    expect(now()).toBe(4)
  })

  it('keeps what it is when the device refuses', async () => {
    const { pace, now } = startPace()
    await expect(pace.time(8 * mib, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(now()).toBe(8)
  })
})
