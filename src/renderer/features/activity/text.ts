/** The Activity tab's own words. */
import { unreachable } from '#shared/errors'
import type { JobState } from '#shared/model'
import { formatRate } from '#shared/units'
import {
  describeError,
  describeOutcome,
  describeOutcomeFigures,
  describeLeft,
  jobDoing,
  describeTargetState,
  namesOf,
} from '#shared/words'

/** One or two sentences about where a job stands. */
export function jobLine(job: JobState): string {
  const { outcome } = job
  if (!outcome) return job.stopping ? 'Stopping at a safe point…' : runningLine(job)
  const names = job.plan ? namesOf(job.plan) : {}
  switch (outcome.kind) {
    case 'failed': {
      const words = describeError(outcome.error, { ...names, source: names.source ?? job.title })
      // A restore's own panel says the rest; this line is all there is of other jobs.
      return job.kind === 'restore'
        ? `${words.what} ${describeTargetState(outcome.target, job.plan?.target ?? null)}`
        : [words.what, words.why, words.now].filter((part) => part !== null).join(' ')
    }
    case 'cancelled':
      return job.kind === 'restore'
        ? `${describeOutcome(outcome)} ${describeTargetState(outcome.target, job.plan?.target ?? null)}`
        : describeOutcome(outcome)
    case 'done':
    case 'checked':
    case 'converted':
    case 'created':
    case 'scanned':
    case 'checksummed':
    case 'resized':
      return [describeOutcome(outcome), describeOutcomeFigures(outcome)]
        .filter((part) => part !== null)
        .join(' ')
    default:
      return unreachable(outcome)
  }
}

function runningLine(job: JobState): string {
  const { progress } = job
  const { percent = null, bytesPerSecond = null } = progress ?? {}
  const doing = jobDoing(job)
  const parts = [
    percent === null ? doing : `${doing} ${percent} %`,
    bytesPerSecond === null ? null : formatRate(bytesPerSecond),
    describeLeft(job),
  ]
  return parts.filter((part) => part !== null).join(' · ')
}
