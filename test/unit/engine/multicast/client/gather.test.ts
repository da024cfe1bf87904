import { describe, expect, it } from 'vitest'
import { createGathering, restMs } from '#src/main/engine/multicast/client/gather.ts'

const limits = { bufferBytes: 4 * 1024 * 1024, dataRate: 4e6 }

describe('how long a thread rests while datagrams gather', () => {
  it.each([
    ['a slow stream: five milliseconds', { datagrams: 3, bytes: 4400, elapsedMs: 6 }, limits, 5],
    ['not caught up: not at all', { datagrams: 20, bytes: 29_000, elapsedMs: 3 }, limits, 0],
    [
      'a fast stream, a large buffer',
      { datagrams: 5, bytes: 300_000, elapsedMs: 3 },
      { ...limits, dataRate: 1e8 },
      5,
    ],
    [
      'a fast stream, a small buffer',
      { datagrams: 5, bytes: 7500, elapsedMs: 3 },
      { bufferBytes: 212_992, dataRate: 1e8 },
      0,
    ],
    [
      'faster than announced',
      { datagrams: 5, bytes: 300_000, elapsedMs: 3 },
      { bufferBytes: 212_992, dataRate: 4e6 },
      0,
    ],
    [
      'an eighth of the buffer',
      { datagrams: 5, bytes: 7500, elapsedMs: 3 },
      { bufferBytes: 212_992, dataRate: 2e7 },
      1.3312,
    ],
    [
      'a rate that nobody limits: not at all',
      { datagrams: 5, bytes: 1, elapsedMs: 3 },
      { ...limits, dataRate: Infinity },
      0,
    ],
  ] as const)('%s', (_, turn, under, expected) => {
    expect(restMs(turn, under)).toBeCloseTo(expected, 6)
  })

  it('is decided once a turn, after all that came in it', () => {
    let turnEnds: (() => void)[] = []
    const rests: number[] = []
    let nowMs = 0
    const came = createGathering(limits, {
      now: () => nowMs,
      afterTurn: (then) => void turnEnds.push(then),
      rest: (ms) => void rests.push(ms),
    })
    const turn = (datagrams: number) => {
      for (let count = 0; count < datagrams; count++) came(1440)
      expect(turnEnds).toHaveLength(1)
      nowMs += 1
      const [end] = turnEnds
      turnEnds = []
      end?.()
    }
    turn(4)
    // Only what has been running for a while.
    expect(rests).toEqual([])
    nowMs = 4000
    turn(4)
    expect(rests).toEqual([5])
    turn(25)
    expect(rests).toEqual([5])
    turn(3)
    expect(rests).toEqual([5, 5])
  })
})
