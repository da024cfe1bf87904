import { describe, expect, test } from 'vitest'
import type { ClientState } from '#src/main/engine/multicast/sender/client-table.ts'
import { createRateControl, type RateControl } from '#src/main/engine/multicast/sender/rate-control.ts'

const full = 12e6

/** Seconds pass; each client loses what `loss` says it loses at the present rate. Returns the rates. */
function pass(control: RateControl, seconds: number, clients: number, loss: (rate: number) => number) {
  const counters = Array.from({ length: clients }, () => ({ expected: 0, received: 0 }))
  return Array.from({ length: seconds }, () => {
    for (const counter of counters) {
      counter.expected += 5000
      counter.received += Math.round(5000 * (1 - loss(control.rate)))
    }
    control.tick(counters.map((counter, index) => client({ id: String(index), ...counter })))
    return control.rate
  })
}

function client(state: Partial<ClientState>): ClientState {
  return {
    id: '0',
    sinceMs: 0,
    lastReportMs: 0,
    expected: 0,
    received: 0,
    loss: 0,
    standing: 'well',
    blocksDone: 0,
    backlogBytes: 0,
    writeBytesPerSecond: 0,
    dropped: 0,
    rejected: 0,
    ...state,
  }
}

describe('a considerate stream', () => {
  const control = () => createRateControl({ dataRate: full, considerate: 'on', clientDataRate: null })

  test('keeps its rate where little is lost', () => {
    expect(Math.min(...pass(control(), 200, 5, () => 0.01))).toBe(full)
  })

  test('goes down until the network can take it, and hardly ever comes back over that', () => {
    const room = full * 0.45
    const rates = pass(control(), 300, 5, (rate) => Math.max(0, 1 - room / rate)).slice(60)
    const average = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
    expect(average).toBeGreaterThan(room * 0.75)
    expect(average).toBeLessThan(room * 1.05)
  })

  test('gives up slowing down where that does not help', () => {
    const rates = pass(control(), 300, 5, () => 0.08)
    expect(rates.filter((rate) => rate < full).length / rates.length).toBeLessThan(0.07)
    expect(rates.at(-1)).toBe(full)
  })

  test('comes back when the network is free again', () => {
    const subject = control()
    pass(subject, 60, 5, (rate) => Math.max(0, 1 - (full * 0.3) / rate))
    expect(subject.rate).toBeLessThan(full * 0.5)
    const back = pass(subject, 60, 5, () => 0)
    expect(back.at(-1)).toBe(full)
    const steps = back.map((rate, index) => rate - (back[index - 1] ?? rate))
    expect(Math.max(...steps)).toBeLessThanOrEqual(full * 0.0201)
  })

  test('does not care about one who loses among many who do not', () => {
    const subject = control()
    for (let second = 1; second < 100; second++)
      subject.tick(
        Array.from({ length: 5 }, (_, index) =>
          client({
            id: String(index),
            expected: second * 5000,
            received: second * (index === 0 ? 1000 : 5000),
          }),
        ),
      )
    expect(subject.rate).toBe(full)
  })

  test('leaves out what was sent while a client was cut off', () => {
    const subject = control()
    pass(subject, 10, 1, () => 0)
    const [expected, received] = [500_000, 50_000]
    subject.tick([client({ expected, received, sinceMs: 45_000 })])
    subject.tick([client({ expected: expected + 5000, received: received + 5000, sinceMs: 45_000 })])
    expect(subject.rate).toBe(full)
    subject.tick([client({ expected: expected + 10_000, received: received + 8000, sinceMs: 45_000 })])
    expect(subject.rate).toBeLessThan(full)
  })

  test('goes by those who came after all others had left', () => {
    const subject = control()
    pass(subject, 10, 1, () => 0)
    for (let second = 0; second < 3; second++)
      subject.tick([client({ id: 'new', expected: second * 5000, received: second * 4000, sinceMs: 60_000 })])
    expect(subject.rate).toBeLessThan(full)
  })

  test('can be switched off', () => {
    const subject = createRateControl({ dataRate: full, considerate: 'off', clientDataRate: null })
    expect(Math.min(...pass(subject, 100, 5, () => 0.5))).toBe(full)
  })
})

describe('Client Data Rate', () => {
  const lagging = (writeBytesPerSecond: number) => client({ writeBytesPerSecond, backlogBytes: 1e9 })

  test('slows the stream to the slowest writer that lags, but no further than it says', () => {
    const subject = createRateControl({ dataRate: full, considerate: 'off', clientDataRate: 4e6 })
    subject.tick([client({}), lagging(8e6), lagging(6e6)])
    expect(subject.rate).toBe(6e6)
    subject.tick([lagging(1e6)])
    expect(subject.rate).toBe(4e6)
    for (let second = 0; second < 20; second++) subject.tick([client({ writeBytesPerSecond: 1e6 })])
    expect(subject.rate).toBe(full)
  })

  test('does nothing when it is not set', () => {
    const subject = createRateControl({ dataRate: full, considerate: 'off', clientDataRate: null })
    subject.tick([lagging(1e6)])
    expect(subject.rate).toBe(full)
  })
})

test('a new Data Rate holds at once', () => {
  const subject = createRateControl({ dataRate: full, considerate: 'on', clientDataRate: null })
  subject.setDataRate(5e6)
  expect(subject.rate).toBe(5e6)
  subject.setDataRate(20e6)
  expect(subject.rate).toBe(20e6)
})
