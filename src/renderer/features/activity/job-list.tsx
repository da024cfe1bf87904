/** Every job since the host was started, newest first. */
import { useMirror } from '#renderer/store'
import { JobRow } from './job-row.tsx'

export function JobList() {
  const jobIds = useMirror((mirror) => mirror.jobIds)
  if (jobIds.length === 0)
    return (
      <p className="jobs-empty secondary" tabIndex={-1} data-landing="next">
        Nothing has run yet. Restores and work on images are listed here while they run, and after.
      </p>
    )
  return (
    <ul className="jobs" aria-label="Jobs" tabIndex={-1} data-landing="next">
      {jobIds.map((jobId) => (
        <JobRow key={jobId} jobId={jobId} />
      ))}
    </ul>
  )
}
