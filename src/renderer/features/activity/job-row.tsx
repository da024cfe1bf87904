/** A job in the list. It watches its own job and nothing else. */
import { Disclosure, DisclosurePanel, Button as AriaButton } from 'react-aria-components'
import { ChevronRight } from 'lucide-react'
import { Button, CopyButton, ProgressBar, StateIcon } from '#renderer/components'
import {
  fetchPercent,
  isConnected,
  jobFetch,
  jobReport,
  misfitChecksum,
  useActions,
  useMirror,
  useReprise,
} from '#renderer/store'
import type { JobState } from '#shared/model'
import { localTime } from '#shared/units'
import { outcomeDetails, type OutcomeDetails } from './outcome-details.ts'
import { outcomeIcons } from './outcome-icons.ts'
import { jobLine } from './text.ts'

export function JobRow({ jobId }: { readonly jobId: string }) {
  const job = useMirror((mirror) => mirror.jobs[jobId])
  const fetch = useMirror((mirror) => job && jobFetch(mirror, job)) ?? null
  const misfit = useMirror((mirror) => job && misfitChecksum(mirror, job)) ?? null
  const connected = useMirror(isConnected)
  const actions = useActions()
  if (!job) return null
  const line = jobLine(job, fetch, { connected })
  const percent = (fetch && fetchPercent(fetch)) ?? job.progress?.percent ?? null
  const details = job.outcome && outcomeDetails(job.outcome)
  return (
    <li className="job-row" data-landing="own">
      <StateIcon state={job.outcome ? outcomeIcons[job.outcome.kind] : 'busy'} size={18} />
      <div className="job-words">
        <h2 className="job-title" tabIndex={-1}>
          <span className="ellipsis" title={job.title}>
            {job.title}
          </span>
          <time className="secondary small" dateTime={new Date(job.startedMs).toISOString()}>
            {clockTime(job.startedMs)}
          </time>
        </h2>
        <p className="secondary selectable">{line}</p>
        {!job.outcome && <ProgressBar label={job.title} percent={percent} text={line} />}
        {details && <Details {...details} />}
      </div>
      <div className="job-buttons">
        {!job.outcome && (
          <Button isDisabled={job.stopping || !connected} onPress={() => void actions.stop(jobId)}>
            Stop
          </Button>
        )}
        {misfit !== null && (
          <Button
            aria-label={`Replace Checksum… of ${job.title}`}
            onPress={() => actions.askReplaceChecksum(misfit)}
          >
            Replace Checksum…
          </Button>
        )}
        {job.outcome?.kind === 'failed' && <CopyDetails job={job} />}
        {job.kind === 'restore' && <ShowButton job={job} />}
      </div>
    </li>
  )
}

function CopyDetails({ job }: { readonly job: JobState }) {
  const { mirror } = useReprise()
  const text = () => jobReport(job, mirror.getState().app, mirror.getState().log)
  return <CopyButton label="Copy Details" of={job.title} text={text} />
}

function ShowButton({ job }: { readonly job: JobState }) {
  const actions = useActions()
  return (
    <Button aria-label={`Show ${job.title}`} onPress={() => actions.showJob(job.jobId)}>
      Show
    </Button>
  )
}

function Details({ label, lines }: OutcomeDetails) {
  return (
    <Disclosure className="job-details">
      <AriaButton slot="trigger" className="job-disclose">
        <ChevronRight size={12} strokeWidth={2.5} aria-hidden />
        {label}
      </AriaButton>
      <DisclosurePanel>
        <ul className="mono small selectable">
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </DisclosurePanel>
    </Disclosure>
  )
}

const clockTime = (ms: number) => localTime(ms, { timeStyle: 'short' })
