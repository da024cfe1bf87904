/** Coming for a stream before its server has read what it will stream. */
import { describe, expect, it } from 'vitest'
import { oncePrepared } from '#src/main/cli/once-prepared.ts'
import { NetworkError, serializeError } from '#shared/errors'
import type { RestorePlan } from '#shared/model'
import { plan } from './fakes.ts'

const refusal = (reason: string) =>
  new NetworkError('E_MC_REFUSED', 'no', { details: { address: 'lab', phase: 'control', reason } })

/** Each turn is an error to throw, or a plan. */
function early(turns: readonly (Error | RestorePlan)[], { timeoutMs = 0, quiet = false } = {}) {
  const written: string[] = []
  const abort = new AbortController()
  let nowMs = 0
  let tries = 0
  const planned = oncePrepared(
    async () => {
      const turn = turns[Math.min(tries++, turns.length - 1)]
      nowMs += 1000
      if (turn instanceof Error) throw turn
      return turn as RestorePlan
    },
    {
      terminal: { writeError: (text: string) => void written.push(text) } as never,
      now: () => nowMs,
      interrupt: {
        signal: abort.signal,
        asked: false,
        causedBy: () => false,
        [Symbol.dispose]: () => undefined,
      },
      quiet,
      timeoutMs,
      retryMs: 1,
    },
  )
  return { planned, written, abort, tries: () => tries }
}

describe('a stream that is still being prepared', () => {
  const ready = plan()
  const refused = { ...plan(), refusal: serializeError(refusal('preparing')) }

  it('is waited for, which is said once', async () => {
    const { planned, written, tries } = early([refusal('preparing'), refused, refusal('preparing'), ready])
    expect(await planned).toBe(ready)
    expect({ written, tries: tries() }).toEqual({
      written: ['The server is still reading what the session will stream. Waiting for it.\n'],
      tries: 4,
    })
    const silent = early([refusal('preparing'), ready], { quiet: true })
    expect(await silent.planned).toBe(ready)
    expect(silent.written).toEqual([])
  })

  it('is not waited for longer than without payload', async () => {
    await expect(early([refusal('preparing')], { timeoutMs: 5000 }).planned).rejects.toMatchObject({
      details: { reason: 'preparing' },
    })
    expect(await early([refused], { timeoutMs: 5000 }).planned).toBe(refused)
  })

  it('is not waited for when somebody says stop', async () => {
    const { planned, abort } = early([refusal('preparing')])
    setTimeout(() => abort.abort(new Error('stop')), 20)
    await expect(planned).rejects.toThrow('stop')
  })

  it('is something else than any other refusal', async () => {
    for (const error of [refusal('full'), refusal('not-admitted'), new Error('other')]) {
      const { planned, tries } = early([error])
      await expect(planned).rejects.toBe(error)
      expect(tries()).toBe(1)
    }
  })
})
