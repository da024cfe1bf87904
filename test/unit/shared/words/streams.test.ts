import { describe, expect, test } from 'vitest'
import { DeviceError, EngineGoneError, serializeError, type AppError } from '#shared/errors'
import {
  describeAway,
  describeDoneClients,
  describePasses,
  describeSessionPhase,
  describeSessionFailure,
  describeSlow,
  describeWaiting,
  formatStreamRate,
} from '#shared/words'
import type { SessionClient, SessionState } from '#shared/model'
import { aClient, aSession, aStream } from '#test/stream-fixtures'

describe('waiting for a stream', () => {
  test.each([
    [{ joined: 3, wanted: 5, startsInMs: 760_000 }, '3 joined, waiting for 2 more, or 12:40'],
    [{ joined: 3, wanted: 5, startsInMs: null }, '3 joined, waiting for 2 more'],
    [{ joined: 3, wanted: null, startsInMs: 9000 }, '3 joined, starts in 0:09'],
    [{ joined: 1, wanted: null, startsInMs: null }, '1 joined, waiting for a word from the server'],
    [{ joined: 6, wanted: 5, startsInMs: null }, '6 joined, waiting for 0 more'],
  ])('%j is %s', (waiting, words) => expect(describeWaiting(waiting)).toBe(words))
})

test('a stream that has sent nothing yet to those who wait for it is starting, not quiet', () => {
  const at = (change: Partial<SessionState>) => describeSessionPhase(aSession({ phase: 'quiet', ...change }))
  const [waits, has] = [aClient({ host: 'a', state: 'joined' }), aClient({ host: 'b', state: 'done' })]
  // What it tells of itself meanwhile is sent, too.
  expect(at({ startedMs: null, sentBytes: 900, clients: [has, waits] })).toBe('Starting')
  expect(at({ startedMs: null, clients: [has] })).toBe('Quiet')
  expect(at({ startedMs: 1, clients: [waits] })).toBe('Quiet')
  expect(at({ startedMs: null, clients: [waits], phase: 'waiting' })).toBe('Waiting')
})

test('passes are counted, and what is missing in them', () => {
  expect(describePasses(aStream({ passes: ['', ''], blocks: 5120, missingBlocks: 37 }))).toBe(
    'Pass 2 – 37 of 5,120 blocks still missing',
  )
  expect(describePasses(aStream({ passes: [], missingBlocks: 0 }))).toBe('Pass 1 – nothing is missing')
})

test.each([
  [{ done: 2 }, 'All computers are done'],
  [{ done: 1 }, 'All computers are done'],
  [{ failed: 20 }, 'No computer is done, 20 failed'],
  [{ failed: 1, disconnected: 2 }, 'No computer is done, 1 failed, 2 disconnected'],
  [{ done: 19, failed: 1 }, '19 of 20 computers are done, 1 failed'],
  [{ done: 1, failed: 1 }, '1 of 2 computers is done, 1 failed'],
  [
    { done: 3, failed: 1, cancelled: 2, disconnected: 1 },
    '3 of 7 computers are done, 1 failed, 2 stopped, 1 disconnected',
  ],
])('when nobody is at it any more, of %j it is said: %s', (counts, words) => {
  const clients = Object.entries(counts).flatMap(([state, count]) =>
    Array.from({ length: count }, (_, index) =>
      aClient({ host: `${state}-${index}`, state: state as SessionClient['state'] }),
    ),
  )
  expect(describeDoneClients(clients)).toBe(words)
})

test.each([
  [12e6, '12 MB/s = 96 Mbit/s'],
  [2_500_000, '2.5 MB/s = 20 Mbit/s'],
  [1_250_000, '1.25 MB/s = 10 Mbit/s'],
  [110e6, '110 MB/s = 880 Mbit/s'],
])('a rate of %j is told in both units: %s', (rate, words) => expect(formatStreamRate(rate)).toBe(words))

test('says of a client that loses far more than the others what becomes of it, while it lacks something', () => {
  expect(describeSlow(aStream())).toBeNull()
  expect(describeSlow(aStream({ standing: 'slow' }))).toContain('when they need nothing any more')
  expect(describeSlow(aStream({ standing: 'slow', missingBlocks: 0 }))).toBeNull()
})

test('says of a stream that is away that what has come is kept, where something has', () => {
  expect(describeAway(aStream())).toBeNull()
  expect(describeAway(aStream({ state: 'connecting' }))).toContain('and what has come is kept')
  expect(describeAway(aStream({ state: 'connecting', blocks: 0, missingBlocks: 0 }))).not.toContain('kept')
})

describe('a stream that failed', () => {
  const failed = (error: AppError | null) =>
    describeSessionFailure(aSession({ imageName: 'Lab.dmg', error: error && serializeError(error) }))
  const device = (code: 'E_SRC_CHANGED' | 'E_SRC_GONE') =>
    new DeviceError(code, 'no', { details: { path: '/lab.dmg' } })

  test('is told as one', () => {
    expect(failed(device('E_SRC_CHANGED')).what).toBe("'Lab.dmg' was changed while it was streamed.")
    expect(failed(device('E_SRC_GONE')).what).toBe("'Lab.dmg' is gone.")
    expect(failed(null)).toEqual({ what: 'The stream failed.', why: null, now: null })
  })

  test('with its host says what becomes of the computers, not of a destination here', () => {
    const details = { exitCode: null, signal: 'SIGKILL', lastLines: [] }
    expect(failed(new EngineGoneError('E_ENGINE_GONE', 'killed', { details }))).toEqual({
      what: 'The part of Reprise that does the work stopped unexpectedly.',
      why: 'It ended with signal SIGKILL.',
      now: "Computers that hadn't finished are incomplete. Start the stream again.",
    })
  })
})
