/** Jobs in words: their phases, what holds them up, and how they ended. */
import { unreachable } from '#shared/errors'
import type {
  Bottleneck,
  Confirmation,
  ImageConversion,
  ImageCreation,
  ImageResizing,
  ImageScan,
  JobOutcome,
  JobPhase,
  JobState,
  Stall,
  TargetInfo,
  TargetState,
} from '#shared/model'
import { formatBytes, formatClock, formatCount, formatRate, formatRemaining } from '#shared/units'
import { capital } from './capital.ts'
import { namesOf } from './checks.ts'
import { comparedSize } from './conversions.ts'
import { quote, type Names } from './details.ts'
import { byReader, replacingChecksum } from './readers.ts'

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
  scanning: 'Scanning',
  reordering: 'Putting in order',
  resizing: 'Resizing',
  compacting: 'Compacting',
}

/** asr's words, and ours where it has none. */
export const describePhase = (phase: JobPhase): string => phases[phase]

/** Beside the phase that a job was stopped in, which isn't skipped as those after it are; null beside every other. */
export function describePhaseStop(phase: JobPhase, outcome: JobOutcome | null): string | null {
  if (outcome?.kind !== 'cancelled' || outcome.phase !== phase) return null
  return outcome.percent === null ? 'stopped' : `stopped at ${outcome.percent} %`
}

const doings: { readonly [kind in Exclude<JobState['kind'], 'restore'>]: string } = {
  'verify-image': 'Verifying',
  'convert-image': 'Converting',
  'create-image': 'Creating',
  'scan-image': 'Scanning',
  'add-checksum-image': 'Checksumming',
  'resize-image': 'Resizing',
  'compact-image': 'Compacting',
}

/**
 * What a running job does now, in a word or two: a restore's phase; of work on an image what was asked for, whose short
 * look beforehand is nothing to be told of, or the phase that comes besides.
 */
export function jobDoing({ kind, phases: states }: Pick<JobState, 'kind' | 'phases'>): string {
  const current = states.find(({ state }) => state === 'current')?.phase
  if (current === 'reordering') return describePhase(current)
  if (kind !== 'restore') return doings[kind]
  return current ? describePhase(current) : 'Starting'
}

/**
 * `about 6 minutes left, then verifying`: the time is of what is done now, and what is read back afterwards is another matter.
 * Null before it is known.
 */
export function describeLeft({ phases, progress }: Pick<JobState, 'phases' | 'progress'>): string | null {
  const remainingMs = progress?.remainingMs ?? null
  if (remainingMs === null) return null
  const verifies = phases.some(({ phase, state }) => phase === 'verifying' && state === 'pending')
  return `${formatRemaining(remainingMs)} left${verifies ? ', then verifying' : ''}`
}

/** `names`: by which its ends are known where it is read. */
export function describeStall({ silentMs, awaited }: Stall, names: Names): string {
  const seconds = Math.floor(silentMs / 1000)
  const long = seconds < 120 ? `${seconds} seconds` : `${formatCount(Math.floor(seconds / 60))} minutes`
  return awaited === 'destination'
    ? `${capital(awaitedName(awaited, names))} hasn't answered for ${long}. Check the cable and the port. This goes on when it answers.`
    : `Nothing has come from ${awaitedName(awaited, names)} for ${long}. Check the disk or the network that it comes from. This goes on when it answers.`
}

/** The same of a job, in the window; null while nothing stands still. */
export const describeJobStall = ({ plan, progress }: Pick<JobState, 'plan' | 'progress'>): string | null =>
  progress?.stall ? describeStall(progress.stall, plan ? namesOf(plan) : {}) : null

/** `Waiting for 'SanDisk Ultra' to answer`. */
export const describeStalled = ({ plan, progress }: Pick<JobState, 'plan' | 'progress'>): string | null =>
  progress?.stall
    ? `Waiting for ${awaitedName(progress.stall.awaited, plan ? namesOf(plan) : {})} to answer`
    : null

function awaitedName(awaited: Stall['awaited'], { source, target }: Names): string {
  const name = awaited === 'source' ? source : target
  return name === undefined ? `the ${awaited}` : quote(name)
}

const bottlenecks: { readonly [bottleneck in Bottleneck]: string } = {
  source: 'Limited by source speed',
  decoding: 'Limited by decompression speed',
  destination: 'Limited by destination speed',
}

export const describeBottleneck = (bottleneck: Bottleneck): string => bottlenecks[bottleneck]

/**
 * A sentence about the destination after a failure or Cancel. A file is left empty, or removed if it was made anew; the Practice disk is
 * one that stays, and is told of as the disk that it is to people.
 */
export function describeTargetState(
  state: TargetState,
  target: Pick<TargetInfo, 'name' | 'kind' | 'disk' | 'exists'> | null,
): string {
  const name = target === null ? 'the destination' : quote(target.name)
  switch (state) {
    case 'untouched':
      return `Nothing was written: ${name} is as it was.`
    case 'changed':
      return `${capital(name)} was changed, and is whole.`
    case 'kept':
      return 'What came so far is kept: the same restore, started again, goes on from there.'
    case 'empty':
      if (target?.kind !== 'file' || target.disk !== null)
        return `${capital(name)} was erased: it is empty, valid and unmounted.`
      return target.exists === true
        ? `${name} was emptied: what was in it is gone, and nothing incomplete was left there.`
        : `Nothing incomplete was left at ${name}.`
    case 'wiped':
      return `${capital(name)} was erased: nothing is on it, not even a file system.`
    case 'incomplete':
      return `${capital(name)} is incomplete and can't be used: restore it again.`
    default:
      return unreachable(state)
  }
}

/** What work on an image, stopped or failed, left of one that it changes where it is; null: the image is as it was. */
export function describeChanged(kind: JobState['kind'], outcome: JobOutcome): string | null {
  if ((outcome.kind !== 'failed' && outcome.kind !== 'cancelled') || outcome.target !== 'changed') return null
  switch (kind) {
    case 'add-checksum-image':
      return "The image has its new checksums; only the file beside it wasn't written."
    case 'compact-image':
      return 'What was compacted until then stays so. The disk inside is as it was.'
    default:
      return 'The image was changed in part, and is whole. Start again to complete it.'
  }
}

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
    case 'scanned':
      return describeScan(outcome.scan)
    case 'checksummed':
      return outcome.checksums.added.length === 0
        ? 'The image lacked no checksum.'
        : 'Checksums were added to the image.'
    case 'resized':
      return describeResizing(outcome.resize)
    case 'failed':
      return 'Could not complete.'
    case 'cancelled':
      return describeStop(outcome)
    default:
      return unreachable(outcome)
  }
}

/** The percent alone is of the copying; a restore that was stopped elsewhere says where. */
function describeStop({ percent, phase }: Extract<JobOutcome, { kind: 'cancelled' }>): string {
  const at = percent === null ? '' : `${percent} %`
  if (phase === 'verifying') return `Stopped while verifying${at === '' ? '' : `, at ${at}`}.`
  return at === '' ? 'Stopped.' : `Stopped at ${at}.`
}

/** Whether something was written, and what the scan is good for. */
function describeScan({ stored, inOrder }: ImageScan): string {
  if (stored === 'kept') return 'The image was scanned already, and its scan is right.'
  const done =
    stored === 'reordered' ? 'The image was scanned and put in order.' : 'The image was scanned for restore.'
  return inOrder ? done : `${done} It isn't in order, so it can't be multicast.`
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
    : 'Nothing had to be changed.'
}

/** A checksum beside an image that was changed doesn't fit it any more, and what to do about it; null: there is none. */
export function describeOutdated(outcome: JobOutcome, names: Pick<Names, 'readIn'> = {}): string | null {
  const file = 'outdated' in outcome ? outcome.outdated : undefined
  if (file === undefined) return null
  const isGone = (outcome.kind === 'failed' || outcome.kind === 'cancelled') && outcome.target === 'empty'
  if (isGone)
    return `The SHA-256 in ${quote(file)} is of what was there before, and nothing is left of that: remove the file.`
  return `The SHA-256 in ${quote(file)} is of what was there before, and a restore would fail by it: write a new one (${byReader(names, replacingChecksum)}), or remove the file.`
}

/** What work on an image came to, in figures: `2.1 GB disk in 640 MB, 31 %, 0:12`, and what it left to do. Null for what has neither. */
export function describeOutcomeFigures(outcome: JobOutcome): string | null {
  const parts = [figuresOf(outcome), describeOutdated(outcome)].filter((part) => part !== null)
  return parts.length === 0 ? null : parts.join(' ')
}

function figuresOf(outcome: JobOutcome): string | null {
  switch (outcome.kind) {
    case 'converted':
      return madeFigures(outcome.conversion)
    case 'created':
      return madeFigures(outcome.creation)
    case 'scanned':
      return `${formatBytes(outcome.scan.sizeBytes)} in ${took(outcome.scan.durationMs)}, ${formatRate(outcome.scan.bytesPerSecond)}.`
    case 'checked':
      return `${formatBytes(outcome.verification.expandedBytes)} in ${took(outcome.verification.durationMs)}.`
    case 'checksummed':
      return outcome.checksums.besides === null ? null : `They are in ${quote(outcome.checksums.besides)}.`
    case 'done':
      return `${formatBytes(outcome.summary.restoredBytes)} in ${took(outcome.summary.durationMs)}, ${formatRate(outcome.summary.bytesPerSecond)}.`
    case 'resized':
    case 'failed':
    case 'cancelled':
      return null
    default:
      return unreachable(outcome)
  }
}

function madeFigures(made: ImageConversion | ImageCreation): string {
  const { sizeBytes, storedBytes, durationMs, target } = made
  const percent = sizeBytes === 0 ? 100 : (storedBytes / sizeBytes) * 100
  const ratio = percent > 0 && percent < 1 ? '< 1' : String(Math.round(percent))
  const compared =
    'sourceStoredBytes' in made ? ` It is ${comparedSize(storedBytes, made.sourceStoredBytes)}.` : ''
  return `${formatBytes(sizeBytes)} disk in ${formatBytes(storedBytes)}, ${ratio} %, ${took(durationMs)}.${compared} Written to ${target}.`
}

/** A clock's figures, in words where they would be zeros. */
const took = (ms: number) => (ms < 1000 ? 'under a second' : formatClock(ms))

type TypeReason = Extract<Confirmation, { kind: 'type' }>['reasons'][number]

const reasons: { readonly [reason in TypeReason]: string } = {
  internal: 'It is an internal disk.',
  large: 'It is a large disk.',
  'many-volumes': 'It holds several volumes.',
  file: 'It is a file that exists.',
}

/** Why the name has to be typed. */
export const describeConfirmationReason = (reason: TypeReason): string => reasons[reason]
