/**
 * Errors that nobody caught. Node would end the process; this one may be in the middle of writing a disk, which must be
 * left empty and valid first. So running jobs are stopped, and the bug becomes their outcome.
 */
import { serializeError } from '#shared/errors'
import type { JobOutcome } from '#shared/model'
import type { JobContext } from './job-context.ts'

type Run = (context: JobContext) => Promise<JobOutcome>

export class Bugs {
  readonly #running = new Set<{ bug: unknown }>()

  /** Running jobs will say `error`, however they stop; one that was done all the same stays done. */
  happened(error: unknown): void {
    for (const job of this.#running) job.bug ??= error ?? new Error('nothing was thrown')
  }

  /** `run`, whose outcome tells a bug that happened meanwhile. */
  guard(run: Run): Run {
    return async (context) => {
      const job: { bug: unknown } = { bug: null }
      this.#running.add(job)
      try {
        const outcome = await run(context)
        if (job.bug === null || outcome.kind !== 'cancelled') return outcome
        const { target, outdated, warnings } = outcome
        const error = serializeError(job.bug)
        return {
          kind: 'failed',
          error,
          target,
          ...(outdated === undefined ? {} : { outdated }),
          ...(warnings === undefined ? {} : { warnings }),
        }
      } catch (error) {
        throw job.bug ?? error
      } finally {
        this.#running.delete(job)
      }
    }
  }
}
