import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { connectAgain, type StreamConnection } from '#engine/stream-connection'
import { NetworkError } from '#shared/errors'
import { silentLogger } from '#shared/log'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const away = new NetworkError('E_NET', 'refused', {
  details: { address: '10.0.0.1', phase: 'connect', errno: 'ECONNREFUSED' },
  transient: true,
})
const there = {} as StreamConnection

/** Tried at these times, in ms, by somebody who waits for `timeoutMs`; there from `fromMs` on. */
async function tried({ timeoutMs, fromMs }: { readonly timeoutMs: number; readonly fromMs: number }) {
  const beganMs = performance.now()
  const atMs: number[] = []
  const told: (string | null)[] = []
  const connecting = connectAgain(
    async () => {
      const nowMs = performance.now() - beganMs
      atMs.push(nowMs)
      if (nowMs < fromMs) throw away
      return there
    },
    {
      timeoutMs,
      log: silentLogger,
      signal: new AbortController().signal,
      streamed: (progress) => told.push(progress?.state ?? null),
    },
  )
  const outcome = connecting.catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(60_000)
  return { atMs, told, outcome: await outcome }
}

it('tries again, less and less often, and says when it is there', async () => {
  const { atMs, told, outcome } = await tried({ timeoutMs: 0, fromMs: 10_000 })
  expect(atMs).toEqual([0, 250, 750, 1750, 3750, 7750, 11_750])
  expect(told).toEqual([...atMs.slice(1).map(() => 'connecting'), null])
  expect(outcome).toBe(there)
})

it('tries once more when the time is up, and not before', async () => {
  const late = await tried({ timeoutMs: 7000, fromMs: 8000 })
  expect(late.atMs).toEqual([0, 250, 750, 1750, 3750, 7000])
  expect(late.outcome).toBe(away)
  expect((await tried({ timeoutMs: 7000, fromMs: 6000 })).outcome).toBe(there)
})

it('stops waiting when it is to stop', async () => {
  const abort = new AbortController()
  const outcome = connectAgain(() => Promise.reject(away), {
    timeoutMs: 0,
    log: silentLogger,
    signal: abort.signal,
    streamed: () => undefined,
  }).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(5000)
  const why = new Error('stopped')
  abort.abort(why)
  expect(await outcome).toBe(why)
})
