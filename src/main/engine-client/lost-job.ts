/** What is to be said of a job whose host died: nobody else can say it any more. */
import type { AppError } from '#shared/errors'
import { serializeError } from '#shared/errors'
import type { JobPhase, JobState, TargetState } from '#shared/model'

/** From one of these on, something may have been written. */
const writing: readonly JobPhase[] = ['erasing', 'restoring', 'verifying', 'remounting']

/** The last state of a job, as it ended with its host. An ended job stays as it is. */
export function lostJob(job: JobState, error: AppError, nowMs: number): JobState {
  if (job.outcome !== null) return job
  return {
    ...job,
    endedMs: nowMs,
    stopping: false,
    progress: job.progress && { ...job.progress, bytesPerSecond: null, remainingMs: null },
    phases: job.phases.map((entry) =>
      entry.state === 'current'
        ? { ...entry, state: 'failed' }
        : entry.state === 'pending'
          ? { ...entry, state: 'skipped' }
          : entry,
    ),
    outcome: { kind: 'failed', error: serializeError(error), target: targetOf(job) },
  }
}

function targetOf(job: JobState): TargetState {
  const began = job.phases.some(
    ({ phase, state }) => writing.includes(phase) && (state === 'current' || state === 'done'),
  )
  return job.kind === 'restore' && began ? 'incomplete' : 'untouched'
}
