import { describe, expect, it } from 'vitest'
import { clientStates, type SessionClient } from '#shared/model'
import { ClientLog } from '#src/main/engine/multicast/server/client-log.ts'
import { sessionClient } from '#test/session-fixtures'

const noon = Date.UTC(2026, 10, 23, 12)
const { clientId } = sessionClient()

function logOf(...steps: readonly Partial<SessionClient>[]): ClientLog {
  const log = new ClientLog()
  for (const [index, step] of steps.entries())
    log.heard([sessionClient({ state: 'receiving', loss: 0, ...step })], noon + index * 500)
  return log
}
const told = (log: ClientLog) =>
  log
    .of(clientId)
    .map(({ atMs, state, standing, lossPercent }) => [
      atMs - noon,
      state,
      ...(standing === 'slow' ? ['slow'] : []),
      ...(lossPercent > 0 ? [lossPercent] : []),
    ])

describe('what became of a client', () => {
  it('is how it stood, from joining to the end, and nothing of what stayed as it was', () => {
    const log = logOf(
      { state: 'joined' },
      { state: 'receiving', blocksDone: 1 },
      { state: 'receiving', blocksDone: 2, lastSeenMs: 5 },
      { state: 'lost' },
      { state: 'receiving' },
      { state: 'missing', standing: 'slow' },
      { state: 'verifying' },
      { state: 'failed', text: 'Write failed.' },
      { state: 'failed', text: 'Write failed.' },
    )
    expect(told(log)).toEqual([
      [0, 'joined'],
      [500, 'receiving'],
      [1500, 'lost'],
      [2000, 'receiving'],
      [2500, 'missing', 'slow'],
      [3000, 'verifying'],
      [3500, 'failed'],
    ])
  })

  it('tells of loss when it becomes much, too much and well again, and not of each figure', () => {
    const losses = [0.01, 0.04, 0.06, 0.045, 0.06, 0.21, 0.19, 0.21, 0.14, 0.029, 0.04]
    expect(told(logOf(...losses.map((loss) => ({ loss }))))).toEqual([
      [0, 'receiving', 1],
      [1000, 'receiving', 6],
      [2500, 'receiving', 21],
      [4000, 'receiving', 14],
      [4500, 'receiving', 3],
    ])
  })

  it.each(clientStates)('has %s as it was, with time and loss', (state) => {
    for (const standing of ['well', 'slow'] as const)
      expect(logOf({ state, standing, loss: 1 }).of(clientId)).toEqual([
        { atMs: noon, state, standing, lossPercent: 100 },
      ])
  })

  it('is the last fifty changes', () => {
    const steps = Array.from({ length: 120 }, (_, index) => ({
      state: index % 2 === 0 ? ('receiving' as const) : ('missing' as const),
    }))
    const log = logOf(...steps)
    expect(log.of(clientId)).toHaveLength(50)
    expect(log.of(clientId)[0]?.atMs).toBe(noon + 70 * 500)
  })

  it('is nothing of one that isn’t told of any more, or never was', () => {
    const log = logOf({})
    expect(log.of('another')).toEqual([])
    log.heard([], noon)
    expect(log.of(clientId)).toEqual([])
  })
})
