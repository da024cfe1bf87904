/** A restore that runs: its phases with their times, how far it is, and what holds it up. */
import { unreachable } from '#shared/errors'
import { Facts, StateIcon, type Fact, type IconState } from '#renderer/components'
import { fetchPercent, isConnected, jobFetch, useHostTime, useMirror } from '#renderer/store'
import type { Bottleneck, JobProgress, JobState, PhaseState, WebFetch } from '#shared/model'
import { formatBytes, formatClock, formatRate } from '#shared/units'
import {
  capital,
  describeBottleneck,
  describeFetch,
  describeFetchReason,
  describeJobStall,
  describeLeft,
  describePhase,
  describePhaseStop,
  describeAway,
  describeSlow,
  describeWaiting,
} from '#shared/words'
import { copiedShare } from './copied-share.ts'
import { PassStrip } from './pass-strip.tsx'
import { SpeedCurve } from './speed-curve.tsx'
import { SummaryLine } from './summary-line.tsx'
import { phaseNote } from './text.ts'

export function Running({ job }: { readonly job: JobState }) {
  const fetch = useMirror((mirror) => jobFetch(mirror, job))
  const left = useMirror(isConnected) ? timeLeft(job) : blank
  return (
    <div className="job running">
      {job.plan && <SummaryLine plan={job.plan} done={copiedShare(job)} />}
      <div className="running-columns">
        <PhaseList job={job} fetch={fetch} />
        <div className="running-figures">
          <p className="figure" aria-hidden="true">
            {(fetch && fetchPercent(fetch)) ?? job.progress?.percent ?? '–'}
            <span>%</span>
          </p>
          <h2 className="section-title" tabIndex={-1} data-landing="next">
            {runningWords(job, fetch)}
          </h2>
          <p className="secondary running-left">
            {describeJobStall(job) ?? (job.stopping ? blank : (runningReason(job, fetch) ?? left))}
          </p>
          <Figures job={job} />
          <SpeedCurve jobId={job.jobId} />
        </div>
      </div>
      {job.progress?.stream && <PassStrip stream={job.progress.stream} />}
    </div>
  )
}

function runningWords({ stopping, phases, progress }: JobState, fetch: WebFetch | null): string {
  if (stopping) return 'Stopping at a safe point…'
  if (fetch) return describeFetch(fetch)
  const current = phases.find((phase) => phase.state === 'current')
  return current ? (streamWords(progress) ?? describePhase(current.phase)) : 'Starting…'
}

const runningReason = ({ progress }: JobState, fetch: WebFetch | null) =>
  fetch ? describeFetchReason(fetch) : streamReason(progress)

/** Where a stream is not simply coming, what is going on instead of the phase. */
function streamWords(progress: JobProgress | null): string | null {
  const state = progress?.stream?.state ?? 'receiving'
  switch (state) {
    case 'connecting':
      return 'Connecting to the server…'
    case 'waiting':
      return 'Waiting for the stream to start'
    case 'fetching':
      return "Fetching what multicast doesn't bring"
    case 'receiving':
      return null
    default:
      return unreachable(state)
  }
}

function streamReason(progress: JobProgress | null): string | null {
  const { stream = null } = progress ?? {}
  if (stream?.state === 'waiting' && stream.waiting) return describeWaiting(stream.waiting)
  // The first connection of a reception takes a moment, and no words.
  if (stream?.state === 'connecting' && (stream.blocks === 0 || stream.missingBlocks < stream.blocks))
    return describeAway(stream)
  if (stream?.state === 'receiving') return describeSlow(stream)
  if (stream?.state !== 'fetching') return null
  const why =
    stream.silence?.details['reason'] === 'no-address'
      ? 'Multicast is sent by IPv4, and this computer has no such address there.'
      : 'No multicast arrives: a firewall, or a switch without IGMP querier.'
  return `${why} It comes over the control connection.`
}

/** Keeps the line's room. */
const blank = '\u00a0'

function timeLeft(job: JobState): string {
  const left = describeLeft(job)
  return left === null ? blank : capital(left)
}

function Figures({ job }: { readonly job: JobState }) {
  const elapsedMs = Math.max(0, useHostTime({ ticking: true }) - job.startedMs)
  const { progress } = job
  const { bytesPerSecond = null, limitedBy = null } = progress ?? {}
  const facts: readonly Fact[] = [
    { name: 'Speed', value: bytesPerSecond === null ? '–' : formatRate(bytesPerSecond) },
    { name: 'Done', value: progress ? doneOf(progress) : '–' },
    { name: 'Elapsed', value: formatClock(elapsedMs) },
    ...streamFacts(progress),
    { name: 'Limited by', value: limitedBy === null ? '–' : bottleneck(limitedBy) },
  ]
  return <Facts layout="rows" facts={facts} />
}

/** Of what was sent to us, not of what we wrote. */
function streamFacts(progress: JobProgress | null): readonly Fact[] {
  const stream = progress?.stream
  if (!stream) return []
  const lost = stream.loss === 0 ? 'nothing lost' : `${(stream.loss * 100).toFixed(1)} % lost`
  return [{ name: 'Receiving', value: `${formatRate(stream.receivedBytesPerSecond)}, ${lost}` }]
}

const doneOf = ({ doneBytes, totalBytes }: JobProgress) =>
  totalBytes === null ? formatBytes(doneBytes) : `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`

const bottleneck = (limit: Bottleneck) => describeBottleneck(limit).replace('Limited by ', '')

const icons: { readonly [state in PhaseState['state']]: IconState } = {
  pending: 'pending',
  current: 'busy',
  done: 'ok',
  skipped: 'skipped',
  failed: 'failed',
}

interface PhaseListProps {
  readonly job: JobState
  /** What it waits for. */
  readonly fetch?: WebFetch | null
}

export function PhaseList({ job, fetch = null }: PhaseListProps) {
  return (
    <ol className="phases" aria-label="Phases">
      {job.phases.map((phase) => {
        const stopped = describePhaseStop(phase.phase, job.outcome) !== null
        return (
          <li
            key={phase.phase}
            data-state={phase.state}
            aria-current={phase.state === 'current' ? 'step' : undefined}
          >
            <StateIcon state={stopped ? 'stopped' : icons[phase.state]} />
            <span>{describePhase(phase.phase)}</span>
            <span className="phases-time secondary">{phaseNote(phase, job, fetch)}</span>
          </li>
        )
      })}
    </ol>
  )
}
