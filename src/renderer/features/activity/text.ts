/** The Activity tab's own words. */
import { unreachable } from '#shared/errors'
import type { ImageVerification, JobState } from '#shared/model'
import { formatRate, formatRemaining } from '#shared/units'
import {
  describeError,
  describeOutcome,
  describeOutcomeFigures,
  describePhase,
  describeTargetState,
  namesOf,
} from '#shared/words'

/** One or two sentences about where a job stands. */
export function jobLine(job: JobState): string {
  const { outcome } = job
  if (!outcome) return job.stopping ? 'Stopping at a safe point…' : runningLine(job)
  const names = job.plan ? namesOf(job.plan) : {}
  switch (outcome.kind) {
    case 'failed': {
      const { what } = describeError(outcome.error, { ...names, source: names.source ?? job.title })
      return job.kind === 'restore' ? `${what} ${describeTargetState(outcome.target, names.target)}` : what
    }
    case 'cancelled':
      return job.kind === 'restore'
        ? `${describeOutcome(outcome)} ${describeTargetState(outcome.target, names.target)}`
        : describeOutcome(outcome)
    case 'done':
    case 'checked':
    case 'converted':
    case 'created':
    case 'scanned':
    case 'checksummed':
    case 'resized':
      return [describeOutcome(outcome), describeOutcomeFigures(outcome)]
        .filter((part) => part !== null)
        .join(' ')
    default:
      return unreachable(outcome)
  }
}

function runningLine({ kind, phases, progress }: JobState): string {
  const { percent = null, bytesPerSecond = null, remainingMs = null } = progress ?? {}
  const current = phases.find((phase) => phase.state === 'current')
  const doing = kind === 'verify-image' ? 'Verifying' : current ? describePhase(current.phase) : 'Starting…'
  const parts = [
    percent === null ? doing : `${doing} ${percent} %`,
    bytesPerSecond === null ? null : formatRate(bytesPerSecond),
    remainingMs === null ? null : `${formatRemaining(remainingMs)} left`,
  ]
  return parts.filter((part) => part !== null).join(' · ')
}

/** `blkx 2 "disk image (Apple_HFS : 2)": CRC-32 89ab12cd` */
export const checkedLines = ({ checked }: ImageVerification): readonly string[] =>
  checked.map(({ what, algorithm, value }) => `${what}: ${algorithm} ${value}`)
