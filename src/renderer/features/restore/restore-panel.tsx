/** The Restore tab: composing a restore, watching it, and reading how it ended. */
import { unreachable } from '#shared/errors'
import { restoreStage, useBoth, useMirror, useView } from '#renderer/store'
import { Compose } from './compose.tsx'
import { Ended } from './ended.tsx'
import { Running } from './running.tsx'
import { Starting } from './starting.tsx'
import './restore.css'

export function RestorePanel() {
  const stage = useBoth(restoreStage)
  switch (stage) {
    case 'compose':
      return <Compose />
    case 'starting':
      return <StartingPanel />
    case 'running':
    case 'ended':
      return <JobPanel />
    default:
      return unreachable(stage)
  }
}

function StartingPanel() {
  const starting = useView((view) => view.starting)
  return starting && <Starting plan={starting.plan} stopping={starting.stopping} />
}

function JobPanel() {
  const jobId = useView((view) => view.restoreJobId)
  const job = useMirror((mirror) => (jobId === null ? undefined : mirror.jobs[jobId]))
  if (!job) return null
  return job.outcome ? <Ended job={job} outcome={job.outcome} /> : <Running job={job} />
}
