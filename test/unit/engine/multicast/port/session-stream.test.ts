/** How the answers to those who fetch share the rate with a session's stream, and when it asks for its turn. Nothing is sent. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { AnswerRoom } from '#src/main/engine/multicast/port/answer-room.ts'
import { Burst } from '#src/main/engine/multicast/port/burst.ts'
import type { GroupSender } from '#src/main/engine/multicast/port/group-sender.ts'
import { SessionStream } from '#src/main/engine/multicast/port/session-stream.ts'
import { sessionSettings } from '#test/real-stream-server'
import { emptyReport } from '#test/client-report'

const mebibyte = 1024 * 1024
const dataRate = 12_000_000
const blocks = 64
/** Of a block of zeros, which each is. */
const zeros = createHash('sha256').update(new Uint8Array(mebibyte)).digest()

function streamOf(group = {} as GroupSender, rate = dataRate) {
  const settings = sessionSettings({ source: '/lab.dmg', configuration: { port: 7800, dataRate: rate } })
  const stream = new SessionStream(
    {
      sessionId: 'ab'.repeat(16),
      settings,
      interface: {
        name: 'eth0',
        address: '10.0.0.1',
        mtu: 1500,
        linkBitsPerSecond: null,
        isDefault: true,
        isUp: true,
      },
      bytes: { kind: 'file', locator: '/lab.dmg', stamp: null, sizeBytes: blocks * mebibyte },
      blockBytes: mebibyte,
      symbolBytes: 1408,
      imageName: 'lab.dmg',
      imageFormat: 'UDZO',
      root: new Uint8Array(32),
      hashes: Buffer.concat(Array.from({ length: blocks }, () => zeros)),
    },
    {
      group,
      read: () => Promise.resolve(),
      room: new AnswerRoom(),
      key: new Uint8Array(16),
      tag: 1,
      wake: () => undefined,
      broken: () => undefined,
    },
  )
  stream.sender.start()
  stream.sender.join('a', 0)
  return stream
}

/** Seconds pass; the one client loses what `loss` says it loses at the present rate. */
function pass(stream: SessionStream, toMs: number, loss: (rate: number) => number) {
  const { sender } = stream
  const needs = [{ first: 0, count: stream.layout.sections, lack: 255 }]
  let [nowMs, reportMs, sent, reported, received] = [0, 0, 0, 0, 0]
  while (nowMs < toMs) {
    for (; reportMs <= nowMs; reportMs += 250) {
      received += Math.round((sent - reported) * (1 - loss(sender.rate)))
      reported = sent
      sender.report('a', { ...emptyReport, asOf: sent, expected: sent, received, needs }, reportMs)
    }
    const step = sender.next(nowMs)
    if (step.kind === 'symbol') sent = step.serial
    else if (step.kind === 'wait') nowMs = Math.max(nowMs + 0.01, step.untilMs)
  }
}

/** Blocks that are let through in ten seconds, each for another address. */
function fetchedIn10s(stream: SessionStream, fromMs: number): number {
  let count = 0
  for (let index = 0; index < 500; index++)
    stream.fetches.ask({ connection: `c${index}`, address: `a${index}`, block: 0 })
  for (let nowMs = fromMs; nowMs < fromMs + 10_000; nowMs += 1)
    stream.serveFetch(nowMs, (fetch) => {
      count += 1
      stream.fetches.over(fetch)
    })
  return count
}

describe('those who fetch', () => {
  const half = (0.5 * dataRate * 10) / 1.05 / mebibyte

  it('have half of the Data Rate beside a stream that has all of it', () => {
    const stream = streamOf()
    pass(stream, 3000, () => 0)
    expect(fetchedIn10s(stream, 3000) / half).toBeCloseTo(1, 1)
  })

  it('have half of what is considerate when the stream has slowed down', () => {
    const stream = streamOf()
    pass(stream, 3000, (rate) => Math.max(0, 1 - (0.2 * dataRate) / rate))
    const considerate = stream.sender.sharedRate / dataRate
    expect(considerate).toBeLessThan(0.25)
    expect(fetchedIn10s(stream, 3000) / half).toBeLessThan(considerate + 0.1)
  })

  it('have all of the Data Rate while the stream has nothing to send', () => {
    const stream = streamOf()
    stream.sender.next(0)
    expect(stream.sender.state).toBe('quiet')
    expect(fetchedIn10s(stream, 0) / (2 * half)).toBeCloseTo(1, 1)
  })
})

describe('a stream that sends', () => {
  it.each([
    [12_000_000, 1],
    [150_000_000, 10],
  ])('of %i bytes a second wants its turn when %i datagrams are due', async (rate, datagrams) => {
    const sent: number[] = []
    const socket = { send: (bytes: Uint8Array) => void sent.push(bytes.length) } as never
    const burst = new Burst({ socket, datagramBytes: 1440, isCut: true })
    const group = { burst, isQueued: false, send: () => burst.send(null) } as unknown as GroupSender
    const stream = streamOf(group, rate)
    const { sender, layout } = stream
    const needs = [{ first: 0, count: layout.sections, lack: 255 }]
    sender.report('a', { ...emptyReport, needs }, 0)
    stream.readAhead()
    await expect.poll(() => (stream.send(Infinity), sent.length)).toBeGreaterThan(0)
    const leastMs = ((datagrams - 1) * 1440) / (rate / 1000)
    for (let turn = 0; turn < 50; turn++) {
      const askedMs = performance.now()
      expect(stream.send(Infinity) - askedMs).toBeGreaterThanOrEqual(leastMs)
    }
  })
})
