/**
 * What is remembered of a job while it runs, and how each thing that happens changes it. Pure: the clock's readings come
 * with the events. `start-job.ts` feeds it; everyone else sees only the `JobState` inside.
 */
import type {
  Bottleneck,
  JobOutcome,
  JobPhase,
  JobProgress,
  JobState,
  PhaseState,
  Stall,
  StreamProgress,
} from '#shared/model'
import { unreachable } from '#shared/errors'
import { jobPhases } from '#shared/model'

/** Times in milliseconds since 1970, by a clock that never runs backwards. */
export interface JobRecord {
  readonly state: JobState
  readonly phaseBeganMs: number
  /** Progress of the current phase over the last two seconds and one reading before them, oldest first. */
  readonly samples: readonly { readonly atMs: number; readonly doneBytes: number }[]
}

export type JobEvent = { readonly atMs: number } & (
  | { readonly kind: 'entered'; readonly phase: JobPhase; readonly totalBytes: number | null }
  /** The current phase came to its end. */
  | { readonly kind: 'completed' }
  | { readonly kind: 'skipped'; readonly phase: JobPhase }
  | {
      readonly kind: 'sampled'
      readonly doneBytes: number
      readonly limitedBy: Bottleneck | null
      readonly stall: Stall | null
      readonly stream: StreamProgress | null
    }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'ended'; readonly outcome: JobOutcome }
)

/** The speed is told over this long. */
const windowMs = 2000
/** Before that long, a speed would be chance. */
const settleMs = 500

/** The phases a job of this kind shows from the start; one that it enters besides joins in its place. */
const plannedPhases: { readonly [kind in JobState['kind']]: readonly JobPhase[] } = {
  restore: jobPhases
    .slice(0, jobPhases.indexOf('converting'))
    .filter((phase) => phase !== 'building' && phase !== 'creating'),
  'verify-image': ['validating-source', 'verifying'],
  'convert-image': ['validating-source', 'converting'],
  'create-image': ['validating-source', 'creating'],
  'scan-image': ['validating-source', 'scanning', 'reordering'],
  'add-checksum-image': ['validating-source', 'scanning'],
  'resize-image': ['validating-source', 'resizing'],
  'compact-image': ['validating-source', 'compacting'],
}

export function firstRecord(
  job: Pick<JobState, 'jobId' | 'kind' | 'plan' | 'title' | 'source' | 'startedMs'>,
): JobRecord {
  const phases = plannedPhases[job.kind].map((phase) => ({
    phase,
    state: 'pending' as const,
    durationMs: null,
  }))
  return {
    state: { ...job, endedMs: null, stopping: false, phases, progress: null, outcome: null },
    phaseBeganMs: job.startedMs,
    samples: [],
  }
}

/** The record after `event`. After `ended` nothing changes it any more. */
export function next(record: JobRecord, event: JobEvent): JobRecord {
  if (record.state.outcome !== null) return record
  switch (event.kind) {
    case 'entered':
      return entered(record, event.phase, event.totalBytes, event.atMs)
    case 'completed':
      return withState(record, {
        phases: closeCurrent(record, 'done', event.atMs),
        progress: atItsEnd(record.state.progress),
      })
    case 'skipped':
      return withState(record, {
        phases: record.state.phases.map((entry) =>
          entry.phase === event.phase && entry.state === 'pending' ? { ...entry, state: 'skipped' } : entry,
        ),
      })
    case 'sampled':
      return sampled(record, event, event.atMs)
    case 'stopping':
      return withState(record, { stopping: true })
    case 'ended':
      return ended(record, event.outcome, event.atMs)
    default:
      return unreachable(event)
  }
}

function entered(record: JobRecord, phase: JobPhase, totalBytes: number | null, atMs: number): JobRecord {
  const place = jobPhases.indexOf(phase)
  const known = closeCurrent(record, 'done', atMs)
  const listed = known.some((entry) => entry.phase === phase)
    ? known
    : [...known, { phase, state: 'pending' as const, durationMs: null }].sort(
        (a, b) => jobPhases.indexOf(a.phase) - jobPhases.indexOf(b.phase),
      )
  const phases = listed.map((entry): PhaseState => {
    if (entry.phase === phase) return { phase, state: 'current', durationMs: null }
    const passedOver = entry.state === 'pending' && jobPhases.indexOf(entry.phase) < place
    return passedOver ? { ...entry, state: 'skipped' } : entry
  })
  const progress: JobProgress = {
    phase,
    doneBytes: 0,
    totalBytes,
    percent: totalBytes === null ? null : 0,
    bytesPerSecond: null,
    remainingMs: null,
    limitedBy: null,
    stall: null,
    stream: null,
  }
  return {
    state: { ...record.state, phases, progress },
    phaseBeganMs: atMs,
    samples: [{ atMs, doneBytes: 0 }],
  }
}

function sampled(
  record: JobRecord,
  reported: Pick<JobEvent & { readonly kind: 'sampled' }, 'doneBytes' | 'limitedBy' | 'stall' | 'stream'>,
  atMs: number,
): JobRecord {
  const { progress } = record.state
  if (progress === null) return record
  const { totalBytes } = progress
  const doneBytes = Math.max(progress.doneBytes, Math.min(reported.doneBytes, totalBytes ?? Infinity))
  const newer = [...record.samples, { atMs, doneBytes }]
  // One reading older than the window stays, so that the window is always covered.
  const firstInside = newer.findIndex((sample) => sample.atMs > atMs - windowMs)
  const samples = newer.slice(Math.max(0, firstInside - 1))
  // A phase that counts no bytes has no speed; one that stands still has one of 0.
  const counts = totalBytes !== null || doneBytes > 0
  const bytesPerSecond = counts && atMs - record.phaseBeganMs >= settleMs ? speed(samples) : null
  return {
    ...record,
    samples,
    state: {
      ...record.state,
      progress: {
        ...progress,
        doneBytes,
        percent: wholePercent(doneBytes, totalBytes),
        bytesPerSecond,
        remainingMs:
          bytesPerSecond === null || bytesPerSecond === 0 || totalBytes === null
            ? null
            : Math.round(((totalBytes - doneBytes) / bytesPerSecond) * 1000),
        limitedBy: reported.limitedBy,
        stall: reported.stall,
        stream: reported.stream,
      },
    },
  }
}

function speed(samples: JobRecord['samples']): number | null {
  const first = samples[0]
  const last = samples.at(-1)
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return null
  return Math.round(((last.doneBytes - first.doneBytes) / (last.atMs - first.atMs)) * 1000)
}

/** Whole, and never 100 while something is still to be done: flushing the last byte can take a while. */
/** Of what was done; 100 only at the end. Null while the whole isn't known. */
export function wholePercent(doneBytes: number, totalBytes: number | null): number | null {
  if (totalBytes === null) return null
  return totalBytes === 0 ? 0 : Math.min(99, Math.floor((doneBytes / totalBytes) * 100))
}

function atItsEnd(progress: JobProgress | null): JobProgress | null {
  if (progress === null || progress.totalBytes === null) return progress
  return { ...progress, doneBytes: progress.totalBytes, percent: 100, remainingMs: 0, stall: null }
}

function ended(record: JobRecord, outcome: JobOutcome, atMs: number): JobRecord {
  const good = outcome.kind !== 'failed' && outcome.kind !== 'cancelled'
  const closed = closeCurrent(record, good ? 'done' : outcome.kind === 'failed' ? 'failed' : 'skipped', atMs)
  const { progress } = record.state
  return withState(record, {
    phases: closed.map((entry) => (entry.state === 'pending' ? { ...entry, state: 'skipped' } : entry)),
    progress: good
      ? atItsEnd(progress)
      : progress && { ...progress, bytesPerSecond: null, remainingMs: null, stall: null },
    outcome:
      outcome.kind === 'cancelled'
        ? {
            ...outcome,
            percent: outcome.percent ?? progress?.percent ?? null,
            ...(record.state.kind === 'restore' && progress ? { phase: progress.phase } : {}),
          }
        : outcome,
    endedMs: atMs,
    stopping: false,
  })
}

function closeCurrent(record: JobRecord, as: PhaseState['state'], atMs: number): readonly PhaseState[] {
  return record.state.phases.map((entry) =>
    entry.state === 'current'
      ? { ...entry, state: as, durationMs: Math.max(0, atMs - record.phaseBeganMs) }
      : entry,
  )
}

const withState = (record: JobRecord, change: Partial<JobState>): JobRecord => ({
  ...record,
  state: { ...record.state, ...change },
})
