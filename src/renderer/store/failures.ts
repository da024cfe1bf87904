/** Failures that nobody saw. Unlike a notice, none is replaced by what comes after it. Pure; returns only what changed. */
import type { JobState, SessionState } from '#shared/model'
import type { Failure, ViewState } from './view-state.ts'

/** The one that is being read, and the last of the others: nobody closes more one after another. Activity lists them all. */
const maxFailures = 5

export function addFailures(view: ViewState, added: readonly Failure[]): Pick<ViewState, 'failures'> {
  const all = [...view.failures, ...added]
  return { failures: all.toSpliced(1, Math.max(0, all.length - maxFailures)) }
}

/** Jobs ended out of sight. */
export function tellEnds(view: ViewState, jobs: readonly JobState[]): Partial<ViewState> {
  const failed = jobs.filter(({ outcome }) => outcome?.kind === 'failed')
  const job = jobs.find(({ outcome }) => outcome?.kind !== 'failed')
  return {
    ...(job ? { notice: { kind: 'worked', job } } : {}),
    ...(failed.length > 0 ? addFailures(view, failed.map(worked)) : {}),
  }
}

/** The job is in sight: its own panel tells how it ended. */
export const showsJob = ({ tab, restoreJobId }: ViewState, { jobId }: JobState): boolean =>
  tab === 'restore' && jobId === restoreJobId

/** The stream is in sight: its own panel tells that it failed. */
export const showsSession = ({ tab, server }: ViewState, { sessionId }: SessionState): boolean =>
  tab === 'multicast' && sessionId === server.shown

const worked = (job: JobState): Failure => ({ kind: 'worked', job })
