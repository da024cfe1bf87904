/** A job as asr(8) would have told it, for those who know that by heart. Pure. */
import type { JobProgress, JobState, PhaseState } from '#shared/model'
import { describeError, describeOutcome, describePhase, describeTargetState, namesOf } from '#shared/words'

/** One line for each phase, then how it ended. */
export function transcript(job: JobState): readonly string[] {
  const { plan, outcome } = job
  const lines = job.phases
    .filter((phase) => phase.state !== 'pending' && phase.state !== 'skipped')
    .map((phase) => phaseLine(phase, job.progress))
  if (!outcome) return [job.title, ...lines]
  const names = plan ? namesOf(plan) : {}
  const end: readonly string[] =
    outcome.kind === 'failed'
      ? [describeError(outcome.error, names).what, describeTargetState(outcome.target, names.target)]
      : [
          describeOutcome(outcome),
          ...(outcome.kind === 'cancelled' ? [describeTargetState(outcome.target, names.target)] : []),
        ]
  return [job.title, ...lines, ...end]
}

function phaseLine(phase: PhaseState, progress: JobProgress | null): string {
  const moves = phase.phase === 'restoring' || phase.phase === 'verifying'
  const name = describePhase(phase.phase)
  if (moves) {
    const percent =
      phase.state === 'done' ? 100 : progress?.phase === phase.phase ? (progress.percent ?? 0) : 0
    return `${name.padEnd(11)}${marks(percent)}${phase.state === 'failed' ? ' failed' : ''}`
  }
  return `${name}...${phase.state === 'done' ? 'done' : phase.state === 'failed' ? 'failed' : ''}`
}

/** One mark for each 2 %, a number for each 10: `....10....20`. */
function marks(percent: number): string {
  return Array.from({ length: Math.floor(percent / 2) }, (_, index) =>
    index % 5 === 4 ? String((index + 1) * 2) : '.',
  ).join('')
}
