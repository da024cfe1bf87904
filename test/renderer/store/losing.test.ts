import { describe, expect, it } from 'vitest'
import { gentlerRate, losingNow, type Losing } from '#src/renderer/store/losing.ts'
import { aClient, aSession } from '#test/stream-fixtures'

const lossOf = (loss: number) => aSession({ clients: [aClient({ host: 'a' }), aClient({ host: 'b', loss })] })

const losing: Losing = { count: 1, worst: 0.5, lossyMs: 0, isCalm: false }

/** What is said after each of these losses (null: at rest), half a second after each other: how long ago somebody lost that much. */
function said(losses: readonly (number | null)[]): readonly (number | null)[] {
  let before: Losing | null = null
  return losses.map((loss, index) => {
    const session = loss === null ? { ...lossOf(0.5), phase: 'quiet' as const } : lossOf(loss)
    before = losingNow(session, before, index * 500)
    return before && index * 500 - before.lossyMs
  })
}

describe('clients that lose more than they can make up for', () => {
  it('are counted from over a fifth on, until they are well below', () => {
    expect([0.19, 0.2, 0.21].map((loss) => losingNow(lossOf(loss), null, 0)?.count)).toEqual([
      undefined,
      undefined,
      1,
    ])
    expect(said([0.21, 0.19, 0.16, 0.15, 0.15])).toEqual([0, 0, 0, 500, 1000])
    // Anew only from over a fifth on.
    expect(said([0.21, 0.15, 0.19])).toEqual([0, 500, 1000])
  })

  it('are remembered for half a minute, with what they lost', () => {
    const calm = Array.from({ length: 60 }, () => 0.01)
    const times = Array.from({ length: 60 }, (_, index) => index * 500)
    expect(said([0.5, ...calm])).toEqual([...times, null])
    const since = { ...losing, isCalm: true }
    expect(losingNow(lossOf(0.01), losing, 7)).toEqual(since)
    // Nothing is drawn again as long as it stays so.
    expect(losingNow(lossOf(0.01), since, 9)).toBe(since)
    // Nor for ever, where the clock is set back.
    expect(losingNow(lossOf(0.01), since, -1)).toBeNull()
    // A stream that is too fast now and then is told of once, and not by what is a little too much after that.
    expect(said([0.5, ...calm.slice(1), 0.19, 0.01])).toEqual([...times, null, null])
    expect(said([0.5, ...calm.slice(1), 0.3, 0.01, 0.01])).toEqual([...times, 0, 500, 1000])
  })

  it('are remembered while the stream rests for a moment, or the last of them begins to verify', () => {
    // What they lost is of before, when something was sent.
    expect(losingNow({ ...lossOf(0.5), phase: 'quiet' }, losing, 7)).toBe(losing)
    expect(losingNow({ ...lossOf(0.5), phase: 'quiet' }, null, 7)).toBeNull()
    const clients = [aClient({ host: 'a', state: 'verifying' })]
    expect(losingNow(aSession({ clients }), losing, 7)).toBe(losing)
    expect(losingNow(aSession({ clients }), losing, 30_000)).toBeNull()
  })

  it('are too many still after a rest, when they lose less than would be told of anew', () => {
    expect(said([0.21, 0.18, null, 0.18, null, 0.18])).toEqual([0, 0, 500, 0, 500, 0])
    expect(said([0.21, 0.1, null, 0.18])).toEqual([0, 500, 1000, 1500])
  })

  it('are none when all have ended, or the stream has', () => {
    const clients = [aClient({ host: 'a', loss: 0.5, state: 'failed' })]
    expect(losingNow(aSession({ clients }), losing, 7)).toBeNull()
    for (const phase of ['preparing', 'waiting', 'ended', 'failed'] as const)
      expect(losingNow({ ...lossOf(0.5), phase }, losing, 7)).toBeNull()
  })

  it('are offered a rate that the worst could follow', () => {
    expect(gentlerRate(aSession(), { ...losing, worst: 0.31 })).toBe(7_500_000)
    expect(gentlerRate(aSession(), { ...losing, worst: 1 })).toBe(2_500_000)
  })

  it('are offered none that is higher than what is sent, nor lower than a stream can be', () => {
    const { settings } = aSession()
    const offered = (dataRate: number) => {
      const configuration = { ...settings.configuration, dataRate }
      return gentlerRate({ settings: { ...settings, configuration } }, losing)
    }
    expect([90_000, 20_000, 10_001, 10_000].map(offered)).toEqual([40_000, 10_000, 10_000, null])
  })
})
