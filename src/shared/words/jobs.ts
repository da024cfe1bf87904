/** Jobs in words: their phases, what holds them up, and how they ended. */
import { unreachable } from '#shared/errors'
import type {
  Bottleneck,
  Confirmation,
  ImageResizing,
  JobOutcome,
  JobPhase,
  TargetInfo,
  TargetState,
} from '#shared/model'
import { formatBytes } from '#shared/units'
import { quote } from './details.ts'

const phases: { readonly [phase in JobPhase]: string } = {
  'validating-target': 'Validating target',
  'validating-source': 'Validating source',
  'validating-sizes': 'Validating sizes',
  unmounting: 'Unmounting',
  erasing: 'Erasing',
  building: 'Building the file system',
  creating: 'Creating the image',
  restoring: 'Restoring',
  verifying: 'Verifying',
  remounting: 'Remounting',
  converting: 'Converting',
  resizing: 'Resizing',
  compacting: 'Compacting',
}

/** asr's words, and ours where it has none. */
export const describePhase = (phase: JobPhase): string => phases[phase]

const bottlenecks: { readonly [bottleneck in Bottleneck]: string } = {
  source: 'Limited by source speed',
  decoding: 'Limited by decompression speed',
  destination: 'Limited by destination speed',
}

export const describeBottleneck = (bottleneck: Bottleneck): string => bottlenecks[bottleneck]

/** A sentence about the destination after a failure or Cancel. A file is left empty, or removed if it was made anew. */
export function describeTargetState(
  state: TargetState,
  target?: string,
  kind: TargetInfo['kind'] = 'disk',
): string {
  const name = target === undefined ? 'the destination' : quote(target)
  switch (state) {
    case 'untouched':
      return `Nothing was written: ${name} is as it was.`
    case 'empty':
      return kind === 'file'
        ? `Nothing incomplete was left at ${name}.`
        : `${capital(name)} was erased: it is empty, valid and unmounted.`
    case 'incomplete':
      return `${capital(name)} is incomplete and can't be used: restore it again.`
    default:
      return unreachable(state)
  }
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** The headline of an end. Of a failure only that it failed: `describeError` says the rest. */
export function describeOutcome(outcome: JobOutcome): string {
  switch (outcome.kind) {
    case 'done':
      return outcome.summary.verified ? 'Restored and verified.' : 'Restored, not verified.'
    case 'checked':
      return outcome.verification.nothingToCheck
        ? 'The image can be read to its end. It holds no checksums to compare.'
        : 'The image is intact.'
    case 'converted':
      return 'The image was converted.'
    case 'created':
      return 'The image was created.'
    case 'resized':
      return describeResizing(outcome.resize)
    case 'failed':
      return 'Could not complete.'
    case 'cancelled':
      return outcome.percent === null ? 'Stopped.' : `Stopped at ${outcome.percent} %.`
    default:
      return unreachable(outcome)
  }
}

/** Resized or compacted: what has changed tells which. */
function describeResizing({
  beforeBytes,
  afterBytes,
  storedBytes,
  storedBeforeBytes,
}: ImageResizing): string {
  if (beforeBytes !== afterBytes)
    return `The image was resized from ${formatBytes(beforeBytes)} to ${formatBytes(afterBytes)}.`
  return storedBytes < storedBeforeBytes
    ? `The image is ${formatBytes(storedBeforeBytes - storedBytes)} smaller.`
    : 'The image was as small as it can be.'
}

type TypeReason = Extract<Confirmation, { kind: 'type' }>['reasons'][number]

const reasons: { readonly [reason in TypeReason]: string } = {
  internal: 'It is an internal disk.',
  large: 'It is a large disk.',
  'many-volumes': 'It holds several volumes.',
  file: 'It is a file that exists.',
}

/** Why the name has to be typed. */
export const describeConfirmationReason = (reason: TypeReason): string => reasons[reason]
