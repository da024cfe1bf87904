/** The whole preflight in asr's order: target, source, sizes. For the plan, and once more when the plan is carried out. */
import { basename } from 'node:path'
import { vouchForAll } from '#engine/formats/extents'
import { checksumPath } from '#engine/formats/image'
import { notComparable } from '#engine/stream-connection'
import {
  AppError,
  DeviceError,
  serializeError,
  unreachable,
  UsageError,
  type SerializedError,
} from '#shared/errors'
import type {
  Confirmation,
  JobPhase,
  Loss,
  PreflightCheck,
  RestoreRequest,
  SourceChecksums,
} from '#shared/model'
import { compareSizes } from './compare-sizes.ts'
import { chooseComparison, comparisonCheck, type Comparison } from './comparison.ts'
import { examineSource, isVerifiable, type ExaminedSource, type ImageSource } from './examine-source.ts'
import { examineTarget, type ExaminedTarget, type TargetFindings } from './examine-target.ts'
import { findOverlap } from './find-overlap.ts'
import type { RestoreDeps } from './restore-deps.ts'
import { namesIn, takeVolume } from './take-volume.ts'

export interface Examination {
  readonly source: ExaminedSource | null
  readonly target: ExaminedTarget | null
  /** Null unless changed blocks only were asked for, or where one of the two is missing. */
  readonly comparison: Comparison | null
  readonly checks: readonly PreflightCheck[]
  readonly losses: readonly Loss[]
  readonly confirmation: Confirmation
  /** The first failed check's error. */
  readonly refusal: SerializedError | null
  readonly needsPrivilege: boolean
}

type Step = PreflightCheck['step']

/**
 * Looks at everything and touches nothing. A step that fails doesn't stop the next, so that a person sees all that is
 * wrong at once. `enter` is told each step before it is taken; `again`: for a plan that is being carried out. Rejects only with the signal's reason, or when we were
 * wrong.
 */
export async function examineRestore(
  request: RestoreRequest,
  deps: RestoreDeps,
  {
    signal,
    enter,
    again = false,
  }: {
    readonly signal: AbortSignal
    readonly enter: (phase: JobPhase) => void
    readonly again?: boolean
  },
): Promise<Examination> {
  enter('validating-target')
  const found = await examineTarget(request, deps, signal)
  signal.throwIfAborted()
  const { target } = found

  enter('validating-source')
  const examined = await examineSource({ ...request, again }, deps, signal)
  signal.throwIfAborted()
  const taken =
    examined.source === null || target === null
      ? { source: examined.source, errors: [] }
      : takeVolume(examined.source, target, request.sourcePartition)
  const { source } = taken
  const overlap = await overlapping()
  signal.throwIfAborted()
  const { comparison, against } = await compareWith()

  enter('validating-sizes')
  const checks = [
    ...targetChecks(found),
    ...sourceChecks(source, [
      ...examined.errors,
      ...taken.errors,
      ...unreadable(),
      ...(overlap === null ? [] : [overlap]),
      ...against,
      ...(request.verify ? missingScan(source) : []),
    ]),
    ...(comparison === null ? [] : [comparisonCheck(comparison)]),
    // Nobody knows yet what goes into the target.
    ...(source !== null && target !== null && taken.errors.length === 0
      ? compareSizes(source, target, request.buffering)
      : []),
  ]
  const failed = checks.flatMap((check) => (check.kind === 'error' ? [check.error] : []))
  return {
    source,
    target,
    comparison,
    checks,
    losses: found.losses,
    confirmation: found.confirmation,
    refusal: failed[0] ?? null,
    needsPrivilege: !deps.platform.privileged && target?.kind === 'device',
  }

  /** Rights are given to write a device. A file is written with the rights that are there, and then what it comes from is read with them. */
  function unreadable(): readonly AppError[] {
    if (deps.platform.privileged || source?.kind !== 'device' || target?.kind !== 'file') return []
    const path = source.info.locator
    const message = `reading ${path} into a file needs rights this process hasn't`
    return [new DeviceError('E_DENIED', message, { details: { path, into: 'file' } })]
  }

  async function overlapping(): Promise<AppError | null> {
    if (source === null || target === null) return null
    try {
      return await findOverlap(source, target, deps)
    } catch (error) {
      AppError.accept(error)
      // The file behind a loop device may be for the administrator's eyes only. Who carries the plan out has them, and looks again.
      const isForOthers = !deps.platform.privileged && target.kind === 'device'
      return isForOthers && error.code === 'E_DENIED' ? null : error
    }
  }

  async function compareWith(): Promise<{ comparison: Comparison | null; against: readonly AppError[] }> {
    if (!request.changedOnly || source === null || target === null) return { comparison: null, against: [] }
    if (source.kind === 'stream') return { comparison: null, against: [notComparable(source.locatorText)] }
    try {
      return { comparison: await chooseComparison(source, target, deps.io, signal), against: [] }
    } catch (error) {
      AppError.accept(error)
      return { comparison: null, against: [error] }
    }
  }
}

function targetChecks({ target, errors, losses }: TargetFindings): readonly PreflightCheck[] {
  if (errors.length > 0 || target === null) return errors.map(failure('target'))
  const { name, sizeBytes, mountPoints } = target.info
  return [
    { step: 'target', state: 'ok', kind: 'target-ok', name, sizeBytes },
    ...(losses.length > 0
      ? [
          {
            step: 'target',
            state: 'warning',
            kind: 'losses',
            names: losses.filter((loss) => loss.kind !== 'partition-map').map((loss) => loss.name),
          } as const,
        ]
      : []),
    ...unmounts('target', mountPoints),
  ]
}

/**
 * asr restores no image with verification that wasn't scanned, and neither do we, where a scan is possible: only UDIF images have
 * a place for one, and those on a web server or encrypted can't be changed where they are.
 */
function missingScan(source: ExaminedSource | null): readonly AppError[] {
  if (source?.kind === 'stream') return isVerifiable(source) ? [] : [notScanned(source.info)]
  if (source?.kind !== 'image' || source.info.kind !== 'image') return []
  const { image } = source.info
  const mayBeScanned = image.tables.length > 0 && image.encrypted === null && source.files.length > 0
  if (!mayBeScanned || image.scan !== null) return []
  return [notScanned({ name: image.name, locator: image.path })]
}

const notScanned = ({ name, locator }: { readonly name: string; readonly locator: string }) =>
  new UsageError('E_SRC_NOSCAN', `${locator} was never scanned for restore`, {
    details: { input: locator, name },
  })

/** A stream's blocks have their hashes. */
function checksumsIn(source: ExaminedSource): SourceChecksums {
  if (source.kind === 'stream') return 'inside'
  return source.kind === 'image' ? source.checksums : 'none'
}

function sourceChecks(source: ExaminedSource | null, errors: readonly AppError[]): readonly PreflightCheck[] {
  if (errors.length > 0 || source === null) return errors.map(failure('source'))
  const checksums = checksumsIn(source)
  return [
    {
      step: 'source',
      state: 'ok',
      kind: 'source-ok',
      name: source.info.name,
      format: formatOf(source),
      checksums,
    },
    ...onlyVolume(source),
    // A device is compared with itself, which is better than any checksum.
    ...(source.kind === 'image' ? uncheckedParts(source) : []),
    ...leftOut(source),
    ...unmounts('source', source.kind === 'device' ? source.mountPoints : []),
  ]
}

function onlyVolume(source: ExaminedSource): readonly PreflightCheck[] {
  if (source.kind !== 'image' || source.partition === undefined) return []
  const { index: partition } = source.partition
  return [{ step: 'source', state: 'ok', kind: 'only-volume', names: namesIn(source.partition), partition }]
}

function uncheckedParts({ checksums }: ImageSource): readonly PreflightCheck[] {
  if (vouchForAll(checksums)) return []
  const kind = checksums === 'partly' ? 'partly-checksummed' : 'not-checksummed'
  return [{ step: 'source', state: 'warning', kind }]
}

/** Somebody put a checksum beside the image, and what is read here and there can't be compared with it on the way. */
function leftOut(source: ExaminedSource): readonly PreflightCheck[] {
  if (source.kind !== 'image' || source.info.kind !== 'image') return []
  const { layout, checksums, info } = source
  if (info.image.fileChecksum === undefined || layout.fileCheck !== undefined) return []
  const file = basename(checksumPath(info.image.path))
  return [
    { step: 'source', state: vouchForAll(checksums) ? 'ok' : 'warning', kind: 'checksum-left-out', file },
  ]
}

function formatOf({ info }: ExaminedSource): string {
  switch (info.kind) {
    case 'image':
      return info.image.format
    case 'stream':
      return info.image?.format ?? info.stream.imageFormat
    case 'disk':
      return 'disk'
    case 'volume':
      return info.volume.filesystem ?? 'volume'
    default:
      return unreachable(info)
  }
}

const unmounts = (step: Step, mountPoints: readonly string[]): readonly PreflightCheck[] =>
  mountPoints.length > 0 ? [{ step, state: 'ok', kind: 'unmounts', mountPoints }] : []

const failure =
  (step: Step) =>
  (error: AppError): PreflightCheck => ({
    step,
    state: 'failed',
    kind: 'error',
    error: serializeError(error),
  })
