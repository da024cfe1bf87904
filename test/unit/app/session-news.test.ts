import { describe, expect, test } from 'vitest'
import { DeviceError, serializeError } from '#shared/errors'
import type { SessionClient } from '#shared/model'
import { sessionNews, type ToldFailures } from '#src/main/app/session-news.ts'
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

  test('is not each time that one who tries again and again fails again', () => {
    const told: ToldFailures = new Map()
    const minute = 60_000
    /** Each failed that long after the start, and the first of them tries again under another id. */
    const fails = (...clients: readonly SessionClient[]) => {
      const retrying = { ...joined, clientId: 'again', host: 'lab-02' }
      const before = [aSession({ clients: [...clients.slice(1), retrying] })]
      return sessionNews(before, [aSession({ clients })], told).map(({ title }) => title)
    }
    const at = (ms: number, host = 'lab-02') => ({ ...failed, host, lastSeenMs: 1e12 + ms })
    expect(fails(at(0))).toEqual(['No computer is done, 1 failed'])
    expect(fails(at(0), at(minute / 2))).toEqual([])
    expect(fails(at(0), at(minute / 2), at(minute / 2, 'lab-05'))).toEqual(['No computer is done, 3 failed'])
    expect(fails(at(minute))).toEqual([])
    expect(fails(at(2 * minute))).toEqual(['No computer is done, 1 failed'])
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
