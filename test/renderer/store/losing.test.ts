import { describe, expect, it } from 'vitest'
import { gentlerRate, losingNow, type Losing } from '#src/renderer/store/losing.ts'
import { aClient, aSession } from '#test/stream-fixtures'

const lossOf = (loss: number) => aSession({ clients: [aClient({ host: 'a' }), aClient({ host: 'b', loss })] })

const losing: Losing = { count: 1, worst: 0.5, calmStates: 0 }

/** What is said after each of these losses, one after the other. */
function said(losses: readonly number[]): readonly (number | null)[] {
  let before: Losing | null = null
  return losses.map((loss) => {
    before = losingNow(lossOf(loss), before)
    return before === null ? null : before.calmStates
  })
}

describe('clients that lose more than they can make up for', () => {
  it('are counted from over a fifth on, until they are well below', () => {
    expect([0.19, 0.2, 0.21].map((loss) => losingNow(lossOf(loss), null)?.count)).toEqual([
      undefined,
      undefined,
      1,
    ])
    expect(said([0.21, 0.19, 0.16, 0.15])).toEqual([0, 0, 0, 1])
  })

  it('are remembered for half a minute, with what they lost', () => {
    const calm = Array.from({ length: 60 }, () => 0.01)
    expect(said([0.5, ...calm])).toEqual([...Array(60).keys(), null])
    expect(losingNow(lossOf(0.01), losing)).toEqual({ count: 1, worst: 0.5, calmStates: 1 })
    // A stream that is too fast now and then is told of once, and not by what is a little too much after that.
    expect(said([0.5, ...calm.slice(0, 59), 0.19, 0.01])).toEqual([...Array(60).keys(), null, null])
    expect(said([0.5, ...calm.slice(0, 58), 0.3, 0.01])).toEqual([...Array(59).keys(), 0, 1])
  })

  it('are remembered while the stream rests for a moment, or the last of them begins to verify', () => {
    const calm = { count: 1, worst: 0.5, calmStates: 1 }
    // What they lost is of before, when something was sent.
    expect(losingNow({ ...lossOf(0.5), phase: 'quiet' }, losing)).toEqual(calm)
    expect(losingNow({ ...lossOf(0.5), phase: 'quiet' }, null)).toBeNull()
    const clients = [aClient({ host: 'a', state: 'verifying' })]
    expect(losingNow(aSession({ clients }), losing)).toEqual(calm)
  })

  it('are none when all have ended, or the stream has', () => {
    const clients = [aClient({ host: 'a', loss: 0.5, state: 'failed' })]
    expect(losingNow(aSession({ clients }), losing)).toBeNull()
    for (const phase of ['preparing', 'waiting', 'ended', 'failed'] as const)
      expect(losingNow({ ...lossOf(0.5), phase }, losing)).toBeNull()
  })

  it('are offered a rate that the worst could follow', () => {
    expect(gentlerRate(aSession(), { ...losing, worst: 0.31 })).toBe(7_500_000)
    expect(gentlerRate(aSession(), { ...losing, worst: 1 })).toBe(2_500_000)
  })
})
