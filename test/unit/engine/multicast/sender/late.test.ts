/** What a sender counts that couldn’t be sent when it was said to be, how it shares and rests, and that it sends to nobody for long. */
import { describe, expect, it } from 'vitest'
import { planStream } from '#engine/multicast/layout'
import { createSender, type SenderOptions } from '#engine/multicast/sender'
import { lacksAll } from '#engine/multicast/wire'
import { seededRandom } from '#test/seeded'
import { emptyReport as report } from '#test/client-report'

const datagramBytes = 1468
const layout = planStream({ sizeBytes: 8 * 1024 * 1024, blockBytes: 1024 * 1024, symbolBytes: 1408 })
const senderOf = (change: Partial<SenderOptions>) =>
  createSender({
    layout,
    dataRate: 12_000_000,
    datagramBytes,
    considerate: 'off',
    clientDataRate: null,
    feedback: { kind: 'none', repairShare: 0 },
    ...change,
  })

describe('a sender whose datagrams go out late', () => {
  it.each([1, 5])(
    'never has more on the wire in any 10 ms than the rate allows, sent %i at a time',
    (most) => {
      const sender = senderOf({})
      sender.start()
      const random = seededRandom(5)
      const wire: number[] = []
      let nowMs = 1000
      let held = 0
      const send = () => {
        // Its block had to be read, or the system's buffer was full.
        if (random.chance(0.02)) nowMs += random.fraction() * 30
        for (let count = 0; count < held; count++) wire.push(nowMs)
        nowMs += random.fraction() * 0.05
        if (held > 0) sender.late(nowMs, held)
        held = 0
      }
      while (nowMs < 6000) {
        const step = sender.next(nowMs)
        if (step.kind !== 'wait') held += 1
        if (step.kind === 'wait' || held === most) send()
        if (step.kind === 'wait') nowMs = Math.max(nowMs, step.untilMs)
      }
      let first = 0
      let fullest = 0
      wire.forEach((atMs, index) => {
        while ((wire[first] as number) <= atMs - 10) first += 1
        fullest = Math.max(fullest, (index - first + 1) * datagramBytes)
      })
      expect(fullest).toBeLessThanOrEqual(120_000)
      expect(fullest).toBeGreaterThan(110_000)
    },
  )
})

describe('a sender whose next symbol cannot be sent', () => {
  it('says twice a second where the stream is, which nobody has seen of that symbol yet', () => {
    const sender = senderOf({})
    sender.start()
    let step = sender.next(1000)
    for (let nowMs = 1000; step.kind !== 'symbol' || step.serial < 3; step = sender.next(nowMs))
      nowMs = step.kind === 'wait' ? step.untilMs : nowMs
    const said: [number, unknown][] = []
    const from = 5000
    expect(sender.stalled(1100, step)).toEqual({ kind: 'wait', untilMs: expect.any(Number) })
    for (let nowMs = from; nowMs < from + 2000;) {
      const word = sender.stalled(nowMs, step)
      if (word.kind === 'wait') nowMs = Math.max(word.untilMs, nowMs + 0.01)
      else said.push([Math.floor(nowMs - from), word])
    }
    const word = { kind: 'position', serial: 2, section: step.section, state: 'streaming' }
    expect(said).toEqual([0, 500, 1000, 1500].map((ms) => [ms, word]))
  })

  it('forgets clients that are silent meanwhile', () => {
    const sender = senderOf({ feedback: { kind: 'demand' } })
    sender.join('a', 0)
    sender.stalled(20_000, { serial: 1, section: 0 })
    expect(sender.clientCount).toBe(0)
  })
})

/**
 * A considerate stream of 12 MB/s to sixteen clients that lose 5 %, whatever its rate: what it may send by and by. `away`: from when to
 * when its source is away; `readMs`: how long each block takes to be read before its first symbol.
 */
function ratesOf({ away: [from, to], readMs = 0 }: { away: [number, number]; readMs?: number }) {
  const long = planStream({ sizeBytes: 64 * 1024 * 1024, blockBytes: 1024 * 1024, symbolBytes: 1408 })
  const sender = senderOf({ considerate: 'on', feedback: { kind: 'demand' }, layout: long })
  const ids = Array.from({ length: 16 }, (_, index) => String(index))
  for (const id of ids) sender.join(id, 0)
  sender.start()
  const needs = [{ first: 0, count: long.sections, lack: lacksAll }]
  const rates = new Map<number, number>()
  let [nowMs, serial, reportMs, readBlock] = [0, 0, 0, -1]
  const pass = (untilMs: number) => {
    for (; reportMs <= untilMs; reportMs += 250) {
      const came = { asOf: serial, expected: serial, received: Math.round(serial * 0.95) }
      for (const id of ids) sender.report(id, { ...report, ...came, needs }, reportMs)
      rates.set(reportMs, sender.rate)
    }
    return untilMs
  }
  const wait = (untilMs: number, step: { readonly serial: number; readonly section: number }) => {
    for (let atMs = nowMs; atMs < untilMs;) {
      const word = sender.stalled(atMs, step)
      atMs = pass(Math.min(untilMs, word.kind === 'wait' ? Math.max(atMs + 0.1, word.untilMs) : atMs + 0.1))
    }
    return Math.max(nowMs, untilMs)
  }
  for (pass(0); nowMs < 9000;) {
    const step = sender.next(nowMs)
    if (step.kind === 'symbol') {
      if (nowMs >= from && nowMs < to) nowMs = wait(to, step)
      const block = long.blockOf(step.section)
      if (block !== readBlock) nowMs = wait(nowMs + readMs, step)
      readBlock = block
      serial = step.serial
    } else if (step.kind === 'wait') nowMs = pass(Math.max(nowMs + 0.01, step.untilMs))
  }
  return { rates, serial }
}

describe('a sender whose source is away', () => {
  it('does not take that for a slow network', () => {
    const { rates } = ratesOf({ away: [100, 5100] })
    expect(Math.min(...rates.values())).toBeGreaterThan(0.8 * 12_000_000)
  })

  it('goes by what was really sent where the source is only slow', () => {
    const { rates, serial } = ratesOf({ away: [0, 0], readMs: 200 })
    // 12 MB/s would be 9000 ms of 8.2 symbols.
    expect(serial).toBeLessThan(30_000)
    expect(Math.min(...rates.values())).toBeLessThan(0.5 * 12_000_000)
  })
})

describe('a stream without a way back', () => {
  const kindsOf = (sender: ReturnType<typeof senderOf>, fromMs: number, count: number) => {
    const kinds = new Set<string>()
    let nowMs = fromMs
    for (let steps = 0; steps < count; steps++) {
      const step = sender.next(nowMs)
      kinds.add(step.kind)
      if (step.kind === 'wait') nowMs = step.untilMs
    }
    return kinds
  }

  it('forgets clients that are silent', () => {
    const sender = senderOf({})
    sender.join('a', 0)
    sender.join('b', 0)
    sender.report('b', report, 10_000)
    sender.next(20_000)
    expect(sender.clients().map(({ id }) => id)).toEqual(['b'])
  })

  it('rests when it is told to, and goes on when somebody joins', () => {
    const sender = senderOf({})
    sender.start()
    expect(kindsOf(sender, 0, 100)).toContain('symbol')
    sender.rest()
    expect(kindsOf(sender, 1000, 100)).not.toContain('symbol')
    expect(sender.state).toBe('quiet')
    sender.join('somebody', 5000)
    expect(kindsOf(sender, 60_000, 100)).toContain('symbol')
  })
})

describe('a sender that has half of its rate', () => {
  it('slows down to what came of that', () => {
    const sender = senderOf({ considerate: 'on', feedback: { kind: 'demand' } })
    sender.start()
    sender.join('a', 0)
    sender.setShare(0.5)
    const needs = [{ first: 0, count: layout.sections, lack: lacksAll }]
    let [sent, reportMs] = [0, 0]
    for (let nowMs = 0; nowMs < 5000 && sender.rate === 6_000_000;) {
      if (nowMs >= reportMs) {
        reportMs += 250
        sender.report('a', { ...report, asOf: sent, expected: sent, received: sent / 2, needs }, nowMs)
      }
      const step = sender.next(nowMs)
      if (step.kind === 'symbol') sent = step.serial
      if (step.kind === 'wait') nowMs = step.untilMs
    }
    expect(sender.rate / 6_000_000).toBeCloseTo(0.475, 1)
  })
})

describe('Client Data Rate', () => {
  it('can be set and taken back while the stream runs', () => {
    const sender = senderOf({ feedback: { kind: 'demand' } })
    sender.start()
    sender.join('slow', 0)
    const rateAt = (nowMs: number) => {
      sender.report('slow', { ...report, backlogBytes: 50_000_000, writeBytesPerSecond: 2_000_000 }, nowMs)
      sender.next(nowMs)
      return sender.rate
    }
    expect(rateAt(1000)).toBe(12_000_000)
    sender.setClientDataRate(3_000_000)
    expect(rateAt(3000)).toBe(3_000_000)
    sender.setClientDataRate(null)
    expect(rateAt(5000)).toBe(12_000_000)
  })
})

describe('a sender whose last client left', () => {
  const senderFor = (blocks: number) => {
    const sender = senderOf({ feedback: { kind: 'demand' } })
    sender.start()
    sender.join('one', 1000)
    sender.report(
      'one',
      { ...report, needs: [{ first: 0, count: Math.min(blocks * 6, layout.sections), lack: lacksAll }] },
      1000,
    )
    return sender
  }
  const symbolsFrom = (sender: ReturnType<typeof senderOf>, fromMs: number, untilMs: number) => {
    let symbols = 0
    for (let nowMs = fromMs; nowMs < untilMs;) {
      const step = sender.next(nowMs)
      if (step.kind === 'wait') nowMs = Math.max(nowMs + 0.01, step.untilMs)
      if (step.kind === 'symbol') symbols += 1
    }
    return symbols
  }

  it('sends to nobody no longer than five seconds', () => {
    const sender = senderFor(8)
    sender.setDataRate(500_000)
    expect(symbolsFrom(sender, 1000, 2000)).toBeGreaterThan(200)
    sender.leave('one')
    expect(symbolsFrom(sender, 2000, 4000)).toBeGreaterThan(400)
    expect(symbolsFrom(sender, 4000, 9000)).toBeLessThan(1500)
    expect(symbolsFrom(sender, 9000, 12_000)).toBe(0)
    expect(sender.state).toBe('quiet')
  })

  it('sends on where somebody else comes, or he himself', () => {
    const sender = senderFor(8)
    sender.setDataRate(500_000)
    symbolsFrom(sender, 1000, 2000)
    sender.leave('one')
    symbolsFrom(sender, 2000, 6000)
    sender.join('two', 6000)
    expect(symbolsFrom(sender, 6000, 12_000)).toBeGreaterThan(1700)
  })
})
