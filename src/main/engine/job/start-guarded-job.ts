/** A job of a process that does nothing else: what nobody caught there can only be the job's. */
import type { EventEmitter } from 'node:events'
import { serializeError } from '#shared/errors'
import type { JobOutcome } from '#shared/model'
import { Bugs } from './bugs.ts'
import type { JobContext } from './job-context.ts'
import { startJob, type Job, type JobDeps, type JobDescription } from './start-job.ts'

const eventNames = ['uncaughtException', 'unhandledRejection'] as const

/**
 * `startJob`, and while it runs, an error that nobody caught stops it instead of ending the process, and becomes its
 * outcome.
 */
export function startGuardedJob(
  description: JobDescription,
  run: (context: JobContext) => Promise<JobOutcome>,
  { events, ...deps }: JobDeps & { readonly events: EventEmitter },
): Job {
  const bugs = new Bugs()
  const job = startJob(description, bugs.guard(run), deps)
  const stop = (error: unknown) => {
    deps.log.error('an error that nobody caught', { error: serializeError(error) })
    bugs.happened(error)
    void job.cancel()
  }
  for (const name of eventNames) events.on(name, stop)
  void job.ended.finally(() => {
    for (const name of eventNames) events.off(name, stop)
  })
  return job
}
