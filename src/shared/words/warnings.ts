/** What didn't work besides: a job did what it was for, or failed at something else. */
import { unreachable, type SerializedError } from '#shared/errors'
import type { JobOutcome, JobState } from '#shared/model'
import { namesOf } from './checks.ts'
import { describeWhole } from './error-words.ts'

/** Of a job that ended. */
export function warningsOf(outcome: JobOutcome): readonly SerializedError[] {
  switch (outcome.kind) {
    case 'done':
      return outcome.summary.warnings
    case 'created':
      return outcome.creation.warnings
    case 'failed':
    case 'cancelled':
      return outcome.warnings ?? []
    case 'checked':
    case 'converted':
    case 'scanned':
    case 'checksummed':
    case 'resized':
      return []
    default:
      return unreachable(outcome)
  }
}

/** The same in whole sentences, in the window: whatever tells how a job ended tells of it. None while it runs. */
export function describeWarnings({ plan, outcome }: Pick<JobState, 'plan' | 'outcome'>): readonly string[] {
  if (outcome === null) return []
  const names = plan ? namesOf(plan) : {}
  return warningsOf(outcome).map((warning) => describeWhole(warning, names))
}
