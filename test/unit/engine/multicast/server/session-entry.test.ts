import { describe, expect, it } from 'vitest'
import { maxFrameBytes } from '#shared/contract'
import type { SessionClient, SessionState } from '#shared/model'
import { withinBounds } from '#src/main/engine/multicast/server/session-entry.ts'
import { sessionClient, sessionState } from '#test/session-fixtures'

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value))

/** As long as a client can make what is told of it. */
const talkative = (index: number): SessionClient =>
  sessionClient({
    clientId: index.toString(16).padStart(32, '0'),
    host: '"'.repeat(255),
    state: 'failed',
    blocksDone: 2 ** 24 - 1,
    loss: 0.123_456_789_012_345_6,
    writeBytesPerSecond: Number.MAX_SAFE_INTEGER,
    lastSeenMs: 1_700_000_000_000,
    text: '\u{6F22}'.repeat(200),
  })

const session = (name: string, clients: number, change: Partial<SessionState> = {}): SessionState =>
  sessionState(name, { ...change, clients: Array.from({ length: clients }, (_, index) => talkative(index)) })

describe('all sessions together', () => {
  it('fit the message that a window begins with, however much clients say of themselves', () => {
    const states = withinBounds([session('lab', 2048), session('library', 2048)])
    expect(bytesOf(states)).toBeLessThan((3 / 4) * maxFrameBytes + 1)
    expect(bytesOf(states)).toBeGreaterThan((3 / 4) * maxFrameBytes - 2000)
  })

  it('are told with all their clients where these say as much as clients do', () => {
    const clients = Array.from({ length: 4096 }, (_, index) => sessionClient({ host: `lab-${index}` }))
    const states = [sessionState('lab', { clients })]
    expect(withinBounds(states) === states).toBe(true)
  })

  it('lack clients of those that are over first, of the oldest first', () => {
    const states = [
      session('runs', 1500, { createdMs: 1 }),
      session('late', 1000, { createdMs: 3, phase: 'ended' }),
      session('early', 1000, { createdMs: 2, phase: 'failed' }),
    ]
    const [runs, late, early] = withinBounds(states).map(({ clients }) => clients.length)
    expect([runs, early]).toEqual([1500, 0])
    expect(late).toBeGreaterThan(0)
    expect(late).toBeLessThan(1000)
  })
})
