/** The Activity tab's own words. */
import { unreachable } from '#shared/errors'
import { fetchPercent } from '#renderer/store'
import type { JobState, TargetState, WebFetch } from '#shared/model'
import { formatRate } from '#shared/units'
import {
  describeChanged,
  describeError,
  describeFetch,
  describeFetchReason,
  describeOutcome,
  describeOutcomeFigures,
  describeOutdated,
  describeLeft,
  jobDoing,
  describeTargetState,
  describeWarnings,
  namesOf,
} from '#shared/words'

/** One or two sentences about where a job stands. `fetch`: what it waits for. Not `connected`: nobody knows how far it is by now. */
export function jobLine(job: JobState, fetch: WebFetch | null = null, { connected = true } = {}): string {
  const { outcome } = job
  if (!outcome && job.stopping) return 'Stopping at a safe point…'
  if (!outcome) return fetchLine(fetch) ?? runningLine(job, connected ? describeLeft(job) : null)
  const names = job.plan ? namesOf(job.plan) : {}
  switch (outcome.kind) {
    case 'failed': {
      const words = describeError(outcome.error, { ...names, source: names.source ?? job.title })
      // A restore's own panel says the rest; this line is all there is of other jobs.
      return sentences(
        words.what,
        ...(job.kind === 'restore'
          ? [targetState(job, outcome)]
          : [words.why, describeChanged(job.kind, outcome), words.now]),
        describeOutdated(outcome),
        ...describeWarnings(job),
      )
    }
    case 'cancelled':
      return sentences(
        describeOutcome(outcome),
        job.kind === 'restore' ? targetState(job, outcome) : describeChanged(job.kind, outcome),
        describeOutdated(outcome),
        ...describeWarnings(job),
      )
    case 'done':
    case 'checked':
    case 'converted':
    case 'created':
    case 'scanned':
    case 'checksummed':
    case 'resized':
      return sentences(describeOutcome(outcome), describeOutcomeFigures(outcome), ...describeWarnings(job))
    default:
      return unreachable(outcome)
  }
}

const sentences = (...parts: readonly (string | null)[]) => parts.filter((part) => part !== null).join(' ')

const targetState = ({ plan }: JobState, { target }: { readonly target: TargetState }) =>
  describeTargetState(target, plan?.target ?? null)

function fetchLine(fetch: WebFetch | null): string | null {
  if (fetch === null) return null
  const percent = fetchPercent(fetch)
  if (fetch.kind === 'awaited') return describeFetchReason(fetch)
  return [describeFetch(fetch), ...(percent === null ? [] : [`${percent} %`])].join(' · ')
}

function runningLine(job: JobState, left: string | null): string {
  const { progress } = job
  const { percent = null, bytesPerSecond = null } = progress ?? {}
  const doing = jobDoing(job)
  const parts = [
    percent === null ? doing : `${doing} ${percent} %`,
    bytesPerSecond === null ? null : formatRate(bytesPerSecond),
    left,
  ]
  return parts.filter((part) => part !== null).join(' · ')
}
