/** What is known at a moment, and what became of jobs from one to the next. Pure. */
import type { EngineMirror, ViewState } from '#renderer/store'
import type { JobState } from '#shared/model'

export interface Moment {
  readonly mirror: EngineMirror
  readonly view: ViewState
}

/** Newest first. */
export const endedJobs = (
  { mirror: { jobs: before } }: Moment,
  { mirror: { jobs, jobIds } }: Moment,
): readonly JobState[] =>
  before === jobs
    ? []
    : jobIds.flatMap((id) => (jobs[id]?.outcome && before[id]?.outcome === null ? [jobs[id]] : []))
