/** A job as asr(8) would have told it, for those who know that by heart. Pure. */
import type { JobState, PhaseState } from '#shared/model'
import {
  describeError,
  describeOutcome,
  describeOutdated,
  describePhase,
  describePhaseStop,
  describeTargetState,
  describeWarnings,
  namesOf,
} from '#shared/words'

/** One line for each phase, then how it ended, and what didn't work besides. */
export function transcript(job: JobState): readonly string[] {
  const { plan, outcome } = job
  const lines = job.phases
    .filter((phase) => isStopped(phase, job) || (phase.state !== 'pending' && phase.state !== 'skipped'))
    .map((phase) => phaseLine(phase, job))
  if (!outcome) return [job.title, ...lines]
  const words =
    outcome.kind === 'failed'
      ? describeError(outcome.error, plan ? namesOf(plan) : { source: job.title }).what
      : describeOutcome(outcome)
  return [job.title, ...lines, words, ...leftBehind(job), ...describeWarnings(job)]
}

/** Only a restore has a destination to tell of. */
function leftBehind({ plan, outcome }: JobState): readonly string[] {
  if (!plan || (outcome?.kind !== 'failed' && outcome?.kind !== 'cancelled')) return []
  const outdated = describeOutdated(outcome)
  return [describeTargetState(outcome.target, plan.target), ...(outdated === null ? [] : [outdated])]
}

const isStopped = ({ phase }: PhaseState, { outcome }: JobState) => describePhaseStop(phase, outcome) !== null

function phaseLine(phase: PhaseState, job: JobState): string {
  const moves = phase.phase === 'restoring' || phase.phase === 'verifying'
  const name = describePhase(phase.phase)
  const end = isStopped(phase, job) ? 'stopped' : phase.state === 'failed' ? 'failed' : ''
  if (moves) return `${name.padEnd(11)}${marks(percentOf(phase, job))}${end === '' ? '' : ` ${end}`}`
  return `${name}...${phase.state === 'done' ? 'done' : end}`
}

function percentOf(phase: PhaseState, { progress, outcome }: JobState): number {
  if (phase.state === 'done') return 100
  if (outcome?.kind === 'cancelled') return outcome.percent ?? 0
  return progress?.phase === phase.phase ? (progress.percent ?? 0) : 0
}

/** One mark for each 2 %, a number for each 10: `....10....20`. */
function marks(percent: number): string {
  return Array.from({ length: Math.floor(percent / 2) }, (_, index) =>
    index % 5 === 4 ? String((index + 1) * 2) : '.',
  ).join('')
}
