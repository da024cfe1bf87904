import { describe, expect, test } from 'vitest'
import type { ClientState } from '#src/main/engine/multicast/sender/client-table.ts'
import {
  createRateControl,
  type RateControl,
  type RateOptions,
} from '#src/main/engine/multicast/sender/rate-control.ts'

const full = 12e6
const datagramBytes = 1500
const stepMs = 250

/** A stream that has always something to send, at the rate it is allowed; each client reports what it lost after every quarter of a second. */
function streamOf(control: RateControl) {
  let nowMs = 0
  let serial = 0
  const counters = new Map<string, { expected: number; received: number }>()
  return {
    get nowMs() {
      return nowMs
    },
    /** Seconds pass; client number … loses what `loss` says it loses at the present rate. Returns the rates. */
    pass(seconds: number, clients: number, loss: (rate: number, client: number) => number) {
      return Array.from({ length: seconds * (1000 / stepMs) }, () => {
        const { rate } = control
        const sent = Math.round((rate * stepMs) / 1000 / datagramBytes)
        nowMs += stepMs
        serial += sent
        const reports = Array.from({ length: clients }, (_, index) => {
          const counter = counters.get(String(index)) ?? { expected: 0, received: 0 }
          counters.set(String(index), counter)
          counter.expected += sent
          counter.received += Math.round(sent * (1 - loss(rate, index)))
          return client({ id: String(index), asOf: serial, ...counter })
        })
        control.tick({ nowMs, clients: reports, serial, streamingMs: nowMs })
        return control.rate
      })
    },
    /** A quarter of a second passes; these reports come. */
    hear(...clients: readonly Partial<ClientState>[]) {
      nowMs += stepMs
      serial += 2000
      const reports = clients.map((state) => client({ asOf: serial, ...state }))
      control.tick({ nowMs, clients: reports, serial, streamingMs: nowMs })
    },
  }
}

function client(state: Partial<ClientState>): ClientState {
  return {
    id: '0',
    sinceMs: 0,
    lastReportMs: 0,
    asOf: 0,
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

const controlOf = (more: Partial<RateOptions> = {}) =>
  createRateControl({ dataRate: full, datagramBytes, considerate: 'on', clientDataRate: null, ...more })

describe('a considerate stream', () => {
  test('keeps its rate where little is lost', () => {
    expect(Math.min(...streamOf(controlOf()).pass(200, 5, () => 0.01))).toBe(full)
  })

  test('is as slow as the network needs it within a second', () => {
    const subject = controlOf()
    streamOf(subject).pass(1, 5, (rate) => Math.max(0, 1 - (full * 0.3) / rate))
    expect(subject.rate).toBeLessThan(full * 0.3)
    expect(subject.rate).toBeGreaterThan(full * 0.27)
  })

  test('goes by what was really sent where the Data Rate is out of reach', () => {
    const subject = controlOf({ dataRate: 1e12 })
    let [nowMs, serial, received] = [0, 0, 0]
    // 200 MB/s are sent, and half of them come.
    for (let step = 0; step < 2; step++) {
      nowMs += stepMs
      serial += (200e6 / datagramBytes) * 0.25
      received += (100e6 / datagramBytes) * 0.25
      const clients = [client({ asOf: serial, expected: serial, received })]
      subject.tick({ nowMs, clients, serial, streamingMs: nowMs })
    }
    expect(subject.rate / 1e6).toBeCloseTo(95, 0)
  })

  test('goes down until the network can take it, and hardly ever comes back over that', () => {
    const room = full * 0.45
    const rates = streamOf(controlOf())
      .pass(300, 5, (rate) => Math.max(0, 1 - room / rate))
      .slice(60)
    const average = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
    expect(average).toBeGreaterThan(room * 0.9)
    expect(average).toBeLessThan(room * 1.03)
  })

  test('gives up slowing down where that does not help', () => {
    const rates = streamOf(controlOf()).pass(300, 5, () => 0.08)
    expect(rates.filter((rate) => rate < full).length / rates.length).toBeLessThan(0.07)
    expect(rates.at(-1)).toBe(full)
  })

  test('slows down again soon where some is lost anyway and then far more', () => {
    const subject = controlOf()
    const stream = streamOf(subject)
    stream.pass(10, 5, () => 0.05)
    expect(subject.rate).toBe(full)
    stream.pass(3, 5, (rate) => Math.max(0.05, 1 - (full * 0.3) / rate))
    expect(subject.rate).toBeLessThan(full * 0.4)
  })

  test('comes back when the network is free again', () => {
    const subject = controlOf()
    const stream = streamOf(subject)
    stream.pass(60, 5, (rate) => Math.max(0, 1 - (full * 0.3) / rate))
    expect(subject.rate).toBeLessThan(full * 0.35)
    const back = stream.pass(60, 5, () => 0)
    expect(back.at(-1)).toBe(full)
    const steps = back.map((rate, index) => rate / (back[index - 1] ?? rate))
    expect(Math.max(...steps)).toBeLessThanOrEqual(1 + 0.2501 / (1000 / stepMs))
  })

  test('comes back more slowly the more often the network was full', () => {
    const subject = controlOf()
    const stream = streamOf(subject)
    const room = full * 0.3
    stream.pass(60, 5, (rate) => Math.max(0, 1 - room / rate))
    const before = subject.rate
    stream.pass(1, 5, () => 0)
    expect(subject.rate).toBeLessThan(before * 1.1)
  })

  test('keeps what it has found while a part of the rate is not its own', () => {
    const subject = controlOf()
    streamOf(subject).pass(60, 5, (rate) => Math.max(0, 1 - (full * 0.3) / rate))
    const { rate } = subject
    subject.setShare(0.5)
    expect(subject.rate).toBe(rate / 2)
    subject.setShare(1)
    expect(subject.rate).toBe(rate)
  })

  test('does not care about one who loses among many who do not, or one of two', () => {
    for (const clients of [2, 5]) {
      const subject = controlOf()
      streamOf(subject).pass(100, clients, (_, index) => (index === 0 ? 0.8 : 0))
      expect(subject.rate).toBe(full)
    }
  })

  test('leaves out what was sent while a client was cut off', () => {
    const subject = controlOf()
    const stream = streamOf(subject)
    stream.pass(10, 1, () => 0)
    const [expected, received] = [500_000, 50_000]
    stream.hear({ expected, received, sinceMs: 45_000 })
    stream.hear({ expected: expected + 5000, received: received + 5000, sinceMs: 45_000 })
    expect(subject.rate).toBe(full)
    stream.hear({ expected: expected + 10_000, received: received + 8000, sinceMs: 45_000 })
    expect(subject.rate).toBeLessThan(full)
  })

  test('goes by those who came after all others had left', () => {
    const subject = controlOf()
    const stream = streamOf(subject)
    stream.pass(10, 1, () => 0)
    for (let step = 0; step < 2; step++)
      stream.hear({ id: 'new', expected: step * 5000, received: step * 4000, sinceMs: 60_000 })
    expect(subject.rate).toBeLessThan(full)
  })

  test('does not judge by what was sent before it slowed down', () => {
    const subject = controlOf()
    const stream = streamOf(subject)
    stream.hear({ asOf: 1000, expected: 0, received: 0 })
    stream.hear({ asOf: 3000, expected: 5000, received: 2500 })
    const tried = subject.rate
    expect(tried).toBeLessThan(full)
    // Reports that don't know yet of what was sent since.
    stream.hear({ asOf: 3999, expected: 10_000, received: 5000 })
    stream.hear({ asOf: 3999, expected: 15_000, received: 7500 })
    expect(subject.rate).toBe(tried)
  })

  test('can be switched off', () => {
    const subject = controlOf({ considerate: 'off' })
    expect(Math.min(...streamOf(subject).pass(100, 5, () => 0.5))).toBe(full)
  })
})

describe('Client Data Rate', () => {
  const lagging = (writeBytesPerSecond: number) => ({ writeBytesPerSecond, backlogBytes: 1e9 })

  test('slows the stream to the slowest writer that lags, but no further than it says', () => {
    const subject = controlOf({ considerate: 'off', clientDataRate: 4e6 })
    const stream = streamOf(subject)
    stream.hear({}, lagging(8e6), lagging(6e6))
    expect(subject.rate).toBe(6e6)
    stream.hear(lagging(1e6))
    expect(subject.rate).toBe(4e6)
    for (let quarter = 0; quarter < 20 * 4; quarter++) stream.hear({ writeBytesPerSecond: 1e6 })
    expect(subject.rate).toBe(full)
  })

  test('does nothing when it is not set', () => {
    const subject = controlOf({ considerate: 'off' })
    streamOf(subject).hear(lagging(1e6))
    expect(subject.rate).toBe(full)
  })
})

test('a new Data Rate holds at once', () => {
  const subject = controlOf()
  subject.setDataRate(5e6)
  expect(subject.rate).toBe(5e6)
  subject.setDataRate(20e6)
  expect(subject.rate).toBe(20e6)
})
