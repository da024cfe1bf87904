/** The Activity tab's own words. */
import { unreachable } from '#shared/errors'
import type { JobState, TargetState } from '#shared/model'
import { formatRate } from '#shared/units'
import {
  describeError,
  describeOutcome,
  describeOutcomeFigures,
  describeOutdated,
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
      return sentences(
        words.what,
        ...(job.kind === 'restore' ? [targetState(job, outcome)] : [words.why, words.now]),
        describeOutdated(outcome),
      )
    }
    case 'cancelled':
      return sentences(
        describeOutcome(outcome),
        job.kind === 'restore' ? targetState(job, outcome) : null,
        describeOutdated(outcome),
      )
    case 'done':
    case 'checked':
    case 'converted':
    case 'created':
    case 'scanned':
    case 'checksummed':
    case 'resized':
      return sentences(describeOutcome(outcome), describeOutcomeFigures(outcome))
    default:
      return unreachable(outcome)
  }
}

const sentences = (...parts: readonly (string | null)[]) => parts.filter((part) => part !== null).join(' ')

const targetState = ({ plan }: JobState, { target }: { readonly target: TargetState }) =>
  describeTargetState(target, plan?.target ?? null)

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
