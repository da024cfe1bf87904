/** What is to be said of a job whose host died: nobody else can say it any more. */
import type { AppError } from '#shared/errors'
import { serializeError } from '#shared/errors'
import { keepsWhatCame, mayHaveWritten, type JobState, type TargetState } from '#shared/model'

/** The last state of a job, as it ended with its host. An ended job stays as it is. */
export function lostJob(job: JobState, error: AppError, nowMs: number): JobState {
  if (job.outcome !== null) return job
  return {
    ...job,
    endedMs: nowMs,
    stopping: false,
    progress: job.progress && { ...job.progress, bytesPerSecond: null, remainingMs: null, stall: null },
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
  if (!mayHaveWritten(job)) return 'untouched'
  return keepsWhatCame(job) ? 'kept' : 'incomplete'
}
