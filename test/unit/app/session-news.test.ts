import { describe, expect, test } from 'vitest'
import { DeviceError, serializeError } from '#shared/errors'
import { sessionNews } from '#src/main/app/session-news.ts'
import { aClient, aSession } from '#test/stream-fixtures'

const joined = aClient({ host: 'lab-01', state: 'joined' })
const done = aClient({ host: 'lab-01', state: 'done' })
const failed = aClient({ host: 'lab-02', state: 'failed' })
const news = (before: Parameters<typeof aSession>[0] | null, now: Parameters<typeof aSession>[0]) =>
  sessionNews(before === null ? [] : [aSession(before)], [aSession(now)]).map(
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
    expect(news({ clients: [joined] }, { clients: [failed] })).toEqual([])
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
