import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { startGuardedJob, type JobContext } from '#engine/job'
import { silentLogger } from '#shared/log'
import type { JobOutcome } from '#shared/model'

const description = { jobId: 'j', kind: 'restore', title: 't', plan: null } as const

/** Writes until it is cancelled, then takes a moment to leave the disk empty. */
const endless = async ({ signal }: JobContext): Promise<JobOutcome> => {
  await new Promise<void>((stop) => signal.addEventListener('abort', () => stop(), { once: true }))
  await new Promise((tidy) => setTimeout(tidy, 10))
  return { kind: 'cancelled', target: 'empty', percent: 1 }
}

describe('a job that has a process to itself', () => {
  it.each(['uncaughtException', 'unhandledRejection'])(
    'is stopped at an %s, tidies up, and fails with it',
    async (event) => {
      const events = new EventEmitter()
      const job = startGuardedJob(description, endless, { log: silentLogger, events })
      setTimeout(() => events.emit(event, new RangeError('out of a timer')), 5)
      const { outcome } = await job.ended
      expect(outcome).toMatchObject({
        kind: 'failed',
        target: 'empty',
        error: { family: 'bug', message: 'out of a timer' },
      })
    },
  )

  it('listens only as long as it runs', async () => {
    const events = new EventEmitter()
    const job = startGuardedJob(description, endless, { log: silentLogger, events })
    expect(events.listenerCount('uncaughtException')).toBe(1)
    await job.cancel()
    expect(events.eventNames()).toEqual([])
  })
})
