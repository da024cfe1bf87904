import { describe, expect, test } from 'vitest'
import { DeviceError, serializeError } from '#shared/errors'
import type { SessionClient, ToldEnds } from '#shared/model'
import { sessionNews } from '#src/main/app/session-news.ts'
import { aClient, aSession } from '#test/stream-fixtures'

const joined = aClient({ host: 'lab-01', state: 'joined' })
const done = aClient({ host: 'lab-01', state: 'done' })
const failed = aClient({ host: 'lab-02', state: 'failed' })
const news = (before: Parameters<typeof aSession>[0] | null, now: Parameters<typeof aSession>[0]) =>
  sessionNews(before === null ? [] : [aSession(before)], [aSession(now)], new Map()).map(
    ({ title, body }) => `${title}: ${body}`,
  )

describe('news of streams', () => {
  test('is the first computer that joins, once', () => {
    const first = "The first computer has joined: lab-01 receives 'ModularSystem'."
    expect(news({ clients: [] }, { clients: [joined] })).toEqual([first])
    expect(news(null, { clients: [joined] })).toEqual([first])
    expect(news({ clients: [joined] }, { clients: [joined, failed] })).toEqual([])
  })

  test('is that all are done, once, and how many are not; not that they verified, which they may have left out', () => {
    expect(news({ clients: [joined] }, { clients: [done] })).toEqual([
      "All computers are done: 'ModularSystem': 1 has it.",
    ])
    expect(news({ clients: [joined, done] }, { clients: [done, done] })).toEqual([
      "All computers are done: 'ModularSystem': 2 have it.",
    ])
    expect(news({ clients: [joined, failed] }, { clients: [done, failed] })).toEqual([
      "1 of 2 computers is done, 1 failed: 'ModularSystem': 1 has it.",
    ])
    expect(news({ clients: [done] }, { clients: [done] })).toEqual([])
  })

  test('is that nobody is left at it who could be done, where somebody failed', () => {
    const stopped = aClient({ host: 'lab-03', state: 'cancelled' })
    const sentAway = aClient({ host: 'lab-04', state: 'disconnected' })
    expect(news({ clients: [joined] }, { clients: [failed] })).toEqual([
      "No computer is done, 1 failed: 'ModularSystem': nobody has it.",
    ])
    expect(news({ clients: [joined] }, { clients: [failed, stopped] })).toEqual([
      "No computer is done, 1 failed, 1 stopped: 'ModularSystem': nobody has it.",
    ])
    // By a person, who knows.
    expect(news({ clients: [joined] }, { clients: [stopped, sentAway] })).toEqual([])
  })

  test('is of each computer once that it failed, however often it tries again, and that it is done after all', () => {
    const told: ToldEnds = new Map()
    /** Until now the last of them was at it. */
    const end = (...clients: readonly SessionClient[]) => {
      const before = clients.map((client, index) =>
        index === clients.length - 1 ? { ...client, state: 'receiving' as const } : client,
      )
      const news = sessionNews([aSession({ clients: before })], [aSession({ clients })], told)
      return news.map(({ title }) => title)
    }
    const again = (state: SessionClient['state'], clientId: string, host = 'lab-02') => ({
      ...failed,
      state,
      clientId,
      host,
    })
    expect(end(done, failed)).toEqual(['1 of 2 computers is done, 1 failed'])
    expect(end(done, failed, again('failed', 'b'))).toEqual([])
    expect(end(done, failed, again('failed', 'c', 'lab-05'))).toEqual(['1 of 3 computers is done, 2 failed'])
    expect(end(done, failed, again('failed', 'd'))).toEqual([])
    expect(end(done, failed, again('done', 'e'))).toEqual(['2 of 3 computers are done, 1 failed'])
    expect(end(done, failed, again('cancelled', 'f'))).toEqual([])
    const other = [aSession({ sessionId: 'b', clients: [failed] })]
    expect(sessionNews([], other, told).map(({ title }) => title)).toContain('No computer is done, 1 failed')
  })

  test('is how each try of one client ended: a window is the same one whenever it restores', () => {
    const told: ToldEnds = new Map()
    let before = aSession({ clients: [] })
    const said = (
      ['receiving', 'failed', 'receiving', 'done', 'receiving', 'done', 'joined', 'failed'] as const
    ).map((state) => {
      const now = aSession({ clients: [{ ...failed, state }] })
      const news = sessionNews([before], [now], told)
      before = now
      return news.map(({ title }) => title).at(-1)
    })
    expect(said).toEqual([
      'The first computer has joined',
      'No computer is done, 1 failed',
      undefined,
      'All computers are done',
      undefined,
      'All computers are done',
      undefined,
      'No computer is done, 1 failed',
    ])
  })

  test('is that it failed, once, and why', () => {
    const error = serializeError(new DeviceError('E_SRC_GONE', 'gone', { details: { path: '/lab.dmg' } }))
    const told = ["The stream failed: 'ModularSystem': 'ModularSystem.dmg' is gone."]
    expect(news({ clients: [joined] }, { phase: 'failed', clients: [joined], error })).toEqual(told)
    expect(news(null, { phase: 'failed', error })).toEqual(told)
    expect(news({ phase: 'failed', error }, { phase: 'failed', error })).toEqual([])
    expect(news({ clients: [joined] }, { phase: 'ended', clients: [joined] })).toEqual([])
  })
})
