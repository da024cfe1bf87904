/** How a restore ended, told by the engine's own result and nothing else. */
import { unreachable } from '#shared/errors'
import { Facts, StateIcon, type Fact } from '#renderer/components'
import type { JobOutcome, JobState, RestorePlan, RestoreSummary } from '#shared/model'
import { formatBytes, formatClock, formatRate } from '#shared/units'
import {
  describeError,
  describeOutcome,
  describeOutdated,
  describeTargetState,
  describeUnreadable,
  describeWarnings,
  namesOf,
} from '#shared/words'
import { Differences } from './differences.tsx'
import { stoppedVerifyWords, whereNow } from './text.ts'
import { Verdict } from './verdict.tsx'

interface Props {
  readonly job: JobState
  readonly outcome: JobOutcome
}

export function Ended({ job, outcome }: Props) {
  switch (outcome.kind) {
    case 'done':
      return <Done job={job} summary={outcome.summary} headline={describeOutcome(outcome)} />
    case 'failed':
      return <Failed job={job} outcome={outcome} />
    case 'cancelled':
      return <Cancelled job={job} outcome={outcome} />
    case 'checked':
    case 'converted':
    case 'created':
    case 'scanned':
    case 'checksummed':
    case 'resized':
      return null
    default:
      return unreachable(outcome)
  }
}

function Done({
  job,
  summary,
  headline,
}: {
  readonly job: JobState
  readonly summary: RestoreSummary
  readonly headline: string
}) {
  return (
    <Verdict job={job} tone="done" icon="done" headline={headline.replace(/\.$/, '')} again="Restore Again">
      <Facts layout="rows" facts={summaryFacts(summary, job.plan)} />
      <Unreadable filesystems={summary.unreadable} />
      <Warnings job={job} />
    </Verdict>
  )
}

/** That nothing is mounted looks like a failure to whoever doesn't know why. */
function Unreadable({ filesystems }: { readonly filesystems: readonly string[] | undefined }) {
  const words = describeUnreadable(filesystems)
  if (words === null) return null
  return (
    <p className="verdict-note">
      <StateIcon state="info" />
      <span className="selectable">{words}</span>
    </p>
  )
}

/** What didn't work besides. */
function Warnings({ job }: { readonly job: JobState }) {
  return describeWarnings(job).map((words) => (
    <p key={words} className="verdict-note">
      <StateIcon state="warning" />
      <span className="selectable">{words}</span>
    </p>
  ))
}

function summaryFacts(summary: RestoreSummary, plan: RestorePlan | null): readonly Fact[] {
  return [
    { name: 'Restored', value: formatBytes(summary.restoredBytes) },
    { name: 'Time', value: summary.durationMs < 1000 ? '< 1 s' : formatClock(summary.durationMs) },
    { name: 'Average', value: formatRate(summary.bytesPerSecond) },
    ...unchangedFacts(summary),
    ...(summary.checksum === null ? [] : [{ name: 'CRC-32', value: <code>{summary.checksum}</code> }]),
    whereNow(summary, plan),
  ]
}

/** How much was found right and left as it was: only where that was looked for. */
function unchangedFacts({ unchangedBytes, writtenBytes }: RestoreSummary): readonly Fact[] {
  if (unchangedBytes === 0) return []
  return [
    {
      name: 'Unchanged',
      value: `${formatBytes(unchangedBytes)}; ${formatBytes(writtenBytes)} had to be written`,
    },
  ]
}

function Failed({
  job,
  outcome,
}: {
  readonly job: JobState
  readonly outcome: Extract<JobOutcome, { kind: 'failed' }>
}) {
  const names = job.plan ? namesOf(job.plan) : {}
  const words = describeError(outcome.error, names)
  return (
    <Verdict job={job} tone="failed" icon="failed" headline={words.what.replace(/\.$/, '')} again="Try Again">
      {words.why !== null && <p className="selectable">{words.why}</p>}
      <p className="selectable">
        <strong>{describeTargetState(outcome.target, job.plan?.target ?? null)}</strong>
      </p>
      <Outdated outcome={outcome} />
      {words.now !== null && <p className="selectable">{words.now}</p>}
      <Differences error={outcome.error} />
      <p className="small secondary selectable">{outcome.error.code}</p>
      <Warnings job={job} />
    </Verdict>
  )
}

function Cancelled({
  job,
  outcome,
}: {
  readonly job: JobState
  readonly outcome: Extract<JobOutcome, { kind: 'cancelled' }>
}) {
  return (
    <Verdict
      job={job}
      tone="cancelled"
      icon="stopped"
      headline={describeOutcome(outcome).replace(/\.$/, '')}
      again="Try Again"
    >
      {outcome.phase === 'verifying' && <p>{stoppedVerifyWords(outcome.target)}</p>}
      <p className="selectable">{describeTargetState(outcome.target, job.plan?.target ?? null)}</p>
      <Outdated outcome={outcome} />
      <Warnings job={job} />
    </Verdict>
  )
}

function Outdated({ outcome }: { readonly outcome: JobOutcome }) {
  const words = describeOutdated(outcome)
  return words === null ? null : <p className="selectable">{words}</p>
}
