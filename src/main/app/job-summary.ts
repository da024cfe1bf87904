/** What the system is told of the jobs: the bar on the dock or taskbar, and a sentence at the end. Pure. */
import { serializeError } from '#shared/errors'
import type { JobState } from '#shared/model'
import {
  describeError,
  describeOutcome,
  describeOutcomeFigures,
  describeWarnings,
  namesOf,
} from '#shared/words'

export type Bar =
  /** -1: none; 0 to 1: that far; 2: nobody knows how far. */
  { readonly fraction: number; readonly mode: 'none' | 'normal' | 'indeterminate' | 'error' }

const none: Bar = { fraction: -1, mode: 'none' }

/**
 * One bar for all jobs: of several, the least that is done. A failure stays red until the window was looked at, where bars have colours:
 * elsewhere a full one would look as if all were done, and the count on the icon tells of it. Linux knows no bar that only moves.
 */
export function progressBar(
  jobs: readonly JobState[],
  { failure, platform }: { readonly failure: 'seen' | 'unseen'; readonly platform: NodeJS.Platform },
): Bar {
  const running = jobs.filter((job) => job.outcome === null)
  if (running.length === 0)
    return failure === 'unseen' && platform === 'win32' ? { fraction: 1, mode: 'error' } : none
  const percents = running.map((job) => job.progress?.percent ?? null)
  if (percents.some((percent) => percent === null))
    return platform === 'linux' ? none : { fraction: 2, mode: 'indeterminate' }
  return { fraction: Math.min(...percents.map((percent) => percent ?? 0)) / 100, mode: 'normal' }
}

/** What to say of a job that ended; null for what the person did themselves. */
export function farewell(job: JobState): { readonly title: string; readonly body: string } | null {
  const { outcome, title } = job
  if (outcome === null || outcome.kind === 'cancelled') return null
  if (outcome.kind !== 'failed') {
    const figures = describeOutcomeFigures(outcome)
    const done = figures === null ? title : `${title}: ${figures}`
    return { title: describeOutcome(outcome), body: [done, ...describeWarnings(job)].join(' ') }
  }
  const names = job.plan ? namesOf(job.plan) : {}
  const { what } = describeError(outcome.error ?? serializeError(new Error(title)), names)
  return { title: describeOutcome(outcome), body: [what, ...describeWarnings(job)].join(' ') }
}
