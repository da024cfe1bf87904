import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createPacer } from '#src/main/engine/multicast/sender/pacer.ts'
import { seededRandom } from '#test/seeded'

interface Sent {
  readonly atMs: number
  readonly bytes: number
}

/** Send as fast as it lets one, waking up late by up to `lateMs`, and with pauses. */
function drive(options: {
  rate: number
  bytes: number
  lateMs: number
  pauses: boolean
  seed: number
  untilMs: number
}) {
  const random = seededRandom(options.seed)
  const pacer = createPacer(options.rate)
  const sent: Sent[] = []
  let nowMs = 1000
  while (nowMs < 1000 + options.untilMs) {
    const waitMs = pacer.waitMs(options.bytes, nowMs)
    if (waitMs > 0) {
      nowMs += waitMs + random.fraction() * options.lateMs
      continue
    }
    pacer.sent(options.bytes, nowMs)
    sent.push({ atMs: nowMs, bytes: options.bytes })
    if (options.pauses && random.chance(0.01)) nowMs += random.fraction() * 100
  }
  return sent
}

/** The most bytes in any 10 ms, and how many datagrams that were. */
function fullestWindow(sent: readonly Sent[]) {
  let first = 0
  let bytes = 0
  let most = { bytes: 0, datagrams: 0 }
  sent.forEach((datagram, index) => {
    bytes += datagram.bytes
    while (sent[first]!.atMs <= datagram.atMs - 10) bytes -= sent[first++]!.bytes
    if (bytes > most.bytes) most = { bytes, datagrams: index - first + 1 }
  })
  return most
}

describe('the pacer', () => {
  test.each([12e6, 50e6, 100e6, 110e6])(
    'comes to 0.97 of %i bytes a second, and never over it in 10 ms',
    (rate) => {
      const sent = drive({ rate, bytes: 1468, lateMs: 0.06, pauses: false, seed: 1, untilMs: 500 })
      const total = sent.reduce((sum, { bytes }) => sum + bytes, 0)
      expect(fullestWindow(sent).bytes).toBeLessThanOrEqual(rate / 100)
      expect(total / (rate * 0.5)).toBeGreaterThan(0.97)
      expect(total / (rate * 0.5)).toBeLessThan(1)
    },
  )

  test('never exceeds any rate in any 10 ms, however late it is asked and whatever came before', () => {
    const drives = fc.record({
      rate: fc.integer({ min: 20_000, max: 20e6 }),
      bytes: fc.integer({ min: 60, max: 9000 }),
      lateMs: fc.double({ min: 0, max: 30, noNaN: true }),
      pauses: fc.boolean(),
      seed: fc.nat(),
    })
    fc.assert(
      fc.property(drives, (options) => {
        const most = fullestWindow(drive({ ...options, untilMs: 300 }))
        // One datagram that is larger than 10 ms of the rate goes alone.
        expect(most.bytes <= options.rate / 100 || most.datagrams === 1).toBe(true)
      }),
      { seed: 6, numRuns: 60 },
    )
  })

  test('sends a slow stream of large datagrams at its rate in the long run', () => {
    const sent = drive({ rate: 40_000, bytes: 1468, lateMs: 0, pauses: false, seed: 1, untilMs: 20_000 })
    const total = sent.reduce((sum, { bytes }) => sum + bytes, 0)
    expect(total).toBeLessThanOrEqual(40_000 * 20 + 1468)
    expect(total).toBeGreaterThan(0.97 * 40_000 * 20)
  })

  test('makes up for short pauses, as whoever has other things to do makes them, within the same windows', () => {
    const pacer = createPacer(50e6)
    const sent: Sent[] = []
    let nowMs = 0
    let pauseMs = 8.5
    while (nowMs < 500) {
      const waitMs = pacer.waitMs(1468, nowMs)
      if (waitMs > 0) nowMs += waitMs
      else {
        pacer.sent(1468, nowMs)
        sent.push({ atMs: nowMs, bytes: 1468 })
      }
      if (nowMs < pauseMs) continue
      nowMs += 1.5
      pauseMs = nowMs + 8.5
    }
    expect(sent.length * 1468).toBeGreaterThan(0.96 * 50e6 * 0.5)
    expect(fullestWindow(sent).bytes).toBeLessThanOrEqual(500_000)
  })

  test('does not make up for a pause in a burst', () => {
    const pacer = createPacer(12e6)
    pacer.waitMs(1468, 0)
    pacer.sent(1468, 0)
    let burst = 0
    while (pacer.waitMs(1468, 5000) === 0) {
      pacer.sent(1468, 5000)
      burst += 1
    }
    expect(burst).toBeLessThanOrEqual(6)
  })

  test('takes a new rate at once', () => {
    const pacer = createPacer(1e6)
    const spent = (rate: number, fromMs: number) => {
      pacer.setRate(rate)
      let nowMs = fromMs
      let bytes = 0
      while (nowMs < fromMs + 1000) {
        const waitMs = pacer.waitMs(100, nowMs)
        nowMs += waitMs
        if (waitMs > 0) continue
        pacer.sent(100, nowMs)
        bytes += 100
      }
      return bytes
    }
    expect(spent(1e6, 0)).toBeGreaterThan(0.95e6)
    const less = spent(0.2e6, 1000)
    expect(less).toBeLessThan(0.21e6)
    expect(less).toBeGreaterThan(0.18e6)
    expect(spent(2e6, 2000)).toBeGreaterThan(1.9e6)
  })
})
