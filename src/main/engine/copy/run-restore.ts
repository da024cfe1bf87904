/** Carries a plan out: looks at everything again, unmounts, erases, copies, verifies, and leaves the disk in order. */
import type { BlockSink } from '#engine/block-io'
import type { JobContext } from '#engine/job'
import type { DiskChecker, HashedBlocks } from '#engine/pipeline'
import { lateSignal, leaveMs } from '#engine/platform'
import { connectAgain } from '#engine/stream-connection'
import {
  deserializeError,
  DeviceError,
  invariant,
  serializeError,
  thrownFirst,
  type SerializedError,
} from '#shared/errors'
import type { Logger } from '#shared/log'
import {
  isStreamLocator,
  isWebLocator,
  type Disk,
  type JobOutcome,
  type RestorePlan,
  type RestoreSummary,
  type TargetState,
} from '#shared/model'
import { BlockChecksums, checksumBlockBytes } from './block-checksums.ts'
import { crc32Sums, quickestSums } from './block-sum.ts'
import { bufferSizes } from './buffer-sizes.ts'
import type { Comparison } from './comparison.ts'
import { copyBlocks, type Copied, type CopyOptions } from './copy-blocks.ts'
import { eraseTarget } from './erase-target.ts'
import { examineRestore } from './examine-restore.ts'
import { checkSameStream, type ExaminedSource, type ReceivedSource } from './examine-source.ts'
import type { ExaminedTarget } from './examine-target.ts'
import { guardSink } from './guard-sink.ts'
import { farewell, receiveImage } from './receive-image.ts'
import { defaultNow, type RestoreDeps } from './restore-deps.ts'
import { openRestoreSource, type RestoreSource } from './restore-source.ts'
import { changedSource } from './source-changed.ts'
import { changedContents, changedTarget, holdTarget, type RestoreTarget } from './restore-target.ts'
import { unmountSource, type ReleasedSource } from './source-volumes.ts'
import { sameLosses } from './target-losses.ts'
import { verifyWritten } from './verify-written.ts'
import { watchProgress, type ProgressWatch } from './watch-progress.ts'
import { writeChanged, type ChangeResult } from './write-changed.ts'

/** Mounting takes less, as a rule; with what a program takes that can't be ended, it is within a second. */
const graceMs = 250

/** What the steps share. */
interface Run {
  readonly plan: RestorePlan
  readonly deps: RestoreDeps
  readonly context: JobContext
  readonly now: () => number
  readonly watch: Pick<ProgressWatch, 'sink' | 'reached'>
}

interface Ends {
  readonly source: ExaminedSource
  readonly target: ExaminedTarget
  /** Null: nothing is compared, everything is written. */
  readonly comparison: Comparison | null
}

/**
 * Restore by a plan that was confirmed. Never rejects: every end is an outcome, and a failure says in what state the
 * destination was left. Settles when nothing is under way any more: no handle, no buffer, no worker, no program.
 */
export async function runRestore(plan: RestorePlan, deps: RestoreDeps, job: JobContext): Promise<JobOutcome> {
  const now = deps.now ?? defaultNow
  const { source } = plan.request
  using watch = watchProgress(job, deps, {
    source: isStreamLocator(source) || isWebLocator(source) ? null : source,
    target: plan.target?.path ?? plan.request.target,
  })
  const { context } = watch
  const run: Run = { plan, deps: { ...deps, io: patientIo(plan, deps, context) }, now, context, watch }
  try {
    return await restore(await validate(run), run)
  } catch (error) {
    return outcomeOf(thrownFirst(error), 'untouched', job)
  }
}

/** Whoever carries a plan out was let in when it was made: what only passes is waited for, by the second look as by the last. */
function patientIo(
  { request: { timeoutMs } }: RestorePlan,
  { io }: RestoreDeps,
  context: JobContext,
): RestoreDeps['io'] {
  return {
    ...io,
    connectStream: (locator, options) =>
      connectAgain(() => io.connectStream(locator, options), {
        timeoutMs,
        log: context.log,
        signal: options.signal,
        streamed: (progress) => context.streamed(progress),
      }),
  }
}

/** asr's three validations, once more and against the plan. Throws what stands against it now. */
async function validate({ plan, deps, context }: Run): Promise<Ends> {
  if (plan.refusal !== null) throw deserializeError(plan.refusal)
  const { signal } = context
  const found = await examineRestore(plan.request, deps, {
    signal,
    enter: (phase) => context.enter(phase),
    again: true,
  })
  if (found.refusal !== null) throw deserializeError(found.refusal)
  const { source, target, comparison } = found
  invariant(source !== null && target !== null, 'a preflight without a refusal found both ends')
  const planned = plan.target
  const sameTarget =
    planned !== null &&
    planned.kind === target.info.kind &&
    planned.path === target.info.path &&
    planned.identity === target.info.identity &&
    planned.sizeBytes === target.info.sizeBytes
  // Confirmed was what would be lost: another partition map on the same disk is another question.
  if (!sameTarget) throw changedTarget(target.info.path, target.kind)
  if (!sameLosses(plan.losses, found.losses)) throw changedContents(target.info.path, target.kind)
  if (plan.sourceIdentity !== source.identity) throw changedSource(plan.request.source)
  return { source, target, comparison }
}

async function restore(ends: Ends, run: Run): Promise<JobOutcome> {
  const { plan, deps, context, now } = run
  const beganMs = now()
  const target = holdTarget(ends.target, deps, context.log)
  let released: ReleasedSource | null = null
  const sourceLeft: SerializedError[] = []
  let written: 'nothing' | 'something' = 'nothing'
  let isKept = false
  try {
    enterUnmounting(ends, context)
    released = await unmountSource(ends.source, deps, context.signal, (left) => sourceLeft.push(...left))
    await target.unmount(context.signal)
    const result = await writeAndVerify({ ...ends, released }, target, run, {
      onWrite: () => {
        written = 'something'
      },
      onKept: () => {
        isKept = true
      },
      isTorn: () => written === 'something' && !isKept,
    })
    // From here on it is restored, and Cancel comes too late to change that. What is left to do is only let be.
    if (ends.target.kind === 'device' || ends.source.kind === 'device') context.enter('remounting')
    else context.skip('remounting')
    using late = lateSignal(context.signal, graceMs)
    // Before the destination: both may be parts of one disk, and with a volume that is mounted it isn't ejected.
    const sourceWarnings = await released.giveBack(late.signal)
    const settled = await target.settle(plan.request.afterwards, late.signal)
    const summary: RestoreSummary = {
      ...result,
      ...settled,
      durationMs: Math.round(now() - beganMs),
      warnings: [...(result.warnings ?? []), ...settled.warnings, ...sourceWarnings],
    }
    return { kind: 'done', summary }
  } catch (error) {
    const told = await explain(thrownFirst(error), ends, run)
    using late = lateSignal(context.signal, leaveMs)
    const left = isKept
      ? { state: await target.keep(), warnings: [] }
      : await target.abandon(written, late.signal)
    // Leaving the destination empty may have taken longer than that, and isn't the source's affair.
    using later = lateSignal(context.signal, leaveMs)
    const warnings = [...left.warnings, ...sourceLeft, ...((await released?.giveBack(later.signal)) ?? [])]
    return { ...outcomeOf(told, left.state, context), ...(warnings.length === 0 ? {} : { warnings }) }
  }
}

function enterUnmounting({ source, target }: Ends, context: JobContext): void {
  const nothing = target.kind === 'file' && (source.kind !== 'device' || source.mountPoints.length === 0)
  if (nothing) context.skip('unmounting')
  else context.enter('unmounting')
}

interface Marks {
  /** Called right before the first write, and where what an earlier run wrote is gone on with. */
  readonly onWrite: () => void
  /** It fails, and the destination shall stay as it is. */
  readonly onKept: () => void
  /** Something was written, and nothing of it is to stay if it fails now. */
  readonly isTorn: () => boolean
}

/**
 * `work` with the one handle. When it fails, the destination may look whole: it is blanked as long as nobody else can
 * have it.
 */
async function withSink<Result>(
  target: RestoreTarget,
  { deps, context: { signal, log }, now, watch }: Run,
  { onWrite, isTorn }: Marks,
  work: (sink: BlockSink) => Promise<Result>,
): Promise<Result> {
  const check = () => target.checkStillThere()
  const guard = { check, onWrite, now, wall: deps.wall ?? Date.now }
  const sink = watch.sink(guardSink(await target.open(signal), guard))
  try {
    signal.throwIfAborted()
    return await work(sink)
  } catch (error) {
    if (isTorn()) await target.blank(sink)
    throw error
  } finally {
    await close(sink, log)
  }
}

/**
 * What was only read, or was written and flushed, isn't wrong because closing it fails: a network file system that went away since says
 * so then, and a disk that was verified isn't to be emptied for that.
 */
async function close(held: AsyncDisposable, log: Logger): Promise<void> {
  try {
    await held[Symbol.asyncDispose]()
  } catch (error) {
    log.warn('closing failed', { error: serializeError(error) })
  }
}

/** All that happens while the handles are open. */
async function writeAndVerify(
  ends: Ends & { readonly released: ReleasedSource },
  target: RestoreTarget,
  run: Run,
  marks: Marks,
): Promise<ChangeResult & Partial<Pick<RestoreSummary, 'warnings'>>> {
  const { plan, deps, context } = run
  if (ends.source.kind === 'stream')
    return await receive({ source: ends.source, target: ends.target }, target, run, marks)
  const source = await openRestoreSource(
    ends.source,
    ends.released,
    deps,
    bufferSizes(plan.request.buffering),
    context.signal,
  )
  try {
    return await withSink(target, run, marks, (sink) => copyAndVerify(ends, { source, sink, target }, run))
  } finally {
    await close(source, context.log)
  }
}

/** The source lies here, and can be read as often as needed. */
async function copyAndVerify(
  ends: Ends,
  {
    source,
    sink,
    target,
  }: { readonly source: RestoreSource; readonly sink: BlockSink; readonly target: RestoreTarget },
  run: Run,
): Promise<ChangeResult> {
  const { plan, context, now } = run
  const { signal } = context
  if (ends.comparison !== null && ends.comparison.kind !== 'nothing') {
    const changed = await writeChanged(ends.comparison, {
      source,
      sink,
      heldBytes: sink.sizeBytes ?? (ends.target.kind === 'file' ? (ends.target.facts?.sizeBytes ?? 0) : 0),
      capacityBytes: target.capacityBytes,
      fixedBytes: target.fixedBytes,
      request: plan.request,
      context,
      now,
    })
    await target.checkStillThere()
    return changed
  }

  // What a server may still refuse is asked for before anything is lost.
  const arrival = await source.readArrivalHashes(signal)
  await source.askServers(signal)
  const created = ends.target.kind === 'file' && ends.target.facts === null
  if (created) context.skip('erasing')
  else context.enter('erasing')
  await eraseTarget(sink, signal)

  const copyBeganMs = now()
  // What is compared with its hash as it comes is right before anything counts its checksums; the verify counts them in any case.
  const checker = arrival === null || !plan.request.verify ? source.createChecker() : null
  const checksums = newChecksums(run, source, checker)
  // Before the copy: whoever tells how long it takes tells what comes after it.
  if (checksums === null) context.skip('verifying')
  const copied = await copy(source, sink, target, { arrival, checker, checksums }, run)
  await source.checkUnchanged()
  const copyMs = Math.max(1, now() - copyBeganMs)

  const crc32 =
    checksums &&
    (await verifyWritten({ source, sink, checksums, written: null, request: plan.request, context }))
  await target.checkStillThere()
  return {
    restoredBytes: copied.sizeBytes,
    writtenBytes: copied.writtenBytes,
    zeroedBytes: copied.zeroedBytes,
    skippedBytes: copied.skippedBytes,
    unchangedBytes: 0,
    bytesPerSecond: Math.round((copied.sizeBytes / copyMs) * 1000),
    verified: crc32 !== null,
    checksum: crc32 === null ? null : crc32.toString(16).padStart(8, '0'),
  }
}

/** The source is a multicast stream. */
async function receive(
  { source, target: examined }: { readonly source: ReceivedSource; readonly target: ExaminedTarget },
  target: RestoreTarget,
  run: Run,
  marks: Marks,
): Promise<ChangeResult & Pick<RestoreSummary, 'warnings'>> {
  const { plan, deps, context, now } = run
  const { signal, log } = context
  const connection = await deps.io.connectStream(source.locator, {
    log,
    signal,
    interface: plan.request.interface ?? null,
  })
  try {
    checkSameStream(source, connection)
    return await withSink(target, run, marks, async (sink) => {
      const received = await receiveImage({
        source,
        connection,
        sink,
        heldBytes: sink.sizeBytes ?? (examined.kind === 'file' ? (examined.facts?.sizeBytes ?? 0) : 0),
        fixedBytes: target.fixedBytes,
        wasMounted: target.wasMounted,
        request: plan.request,
        context,
        now,
        journalMs: deps.journalMs ?? 1000,
        onGoOn: marks.onWrite,
        onKept: marks.onKept,
      })
      await target.checkStillThere()
      return received
    })
  } finally {
    await farewell(connection[Symbol.asyncDispose]())
  }
}

/** Null without a verify. Blocks are at least as large as what is read at once to check them. */
function newChecksums(
  { plan }: Run,
  source: RestoreSource,
  checker: DiskChecker | null,
): BlockChecksums | null {
  if (!plan.request.verify) return null
  const { bufferBytes, csumBufferBytes } = bufferSizes(plan.request.buffering)
  const blockBytes = checksumBlockBytes(Math.max(bufferBytes, csumBufferBytes), source.sizeBytes)
  return new BlockChecksums(blockBytes, checker === null ? quickestSums(blockBytes) : crc32Sums)
}

async function copy(
  source: RestoreSource,
  sink: BlockSink,
  target: RestoreTarget,
  {
    arrival,
    checker,
    checksums,
  }: Pick<CopyOptions, 'checker' | 'checksums'> & { readonly arrival: HashedBlocks | null },
  { plan, context, now }: Run,
): Promise<Copied> {
  const { signal } = context
  context.enter('restoring', source.sizeBytes)
  const hashes = arrival === null ? null : { blocks: arrival, isSelected: null }
  await using stream = await source.openStream({ alignmentBytes: sink.alignmentBytes, signal, hashes })
  return await copyBlocks({
    stream,
    sink,
    checker,
    checksums,
    context,
    signal,
    now,
    sizeBytes: source.sizeBytes,
    sourcePath: source.path,
    capacityBytes: target.capacityBytes,
    fixedBytes: target.fixedBytes,
    clearUnused: plan.request.clearUnused,
  })
}

/** A disk that was pulled out mostly shows as an I/O error first: say what really happened, and how far it was. */
async function explain(
  error: unknown,
  { source, target }: Ends,
  { deps: { platform }, watch }: Run,
): Promise<unknown> {
  if (!(error instanceof DeviceError)) return error
  const isKnown = error.code === 'E_DST_GONE'
  if (!isKnown && error.code !== 'E_IO_WRITE' && error.code !== 'E_IO_READ') return error
  const gone = async ({ disk }: { readonly disk: Disk }) => {
    try {
      // Another card may be in its slot by now.
      return (await platform.identify(disk.path)) !== disk.identity
    } catch {
      return true
    }
  }
  const wrapped = (code: 'E_DST_GONE' | 'E_SRC_GONE', { path }: Disk) =>
    new DeviceError(code, `${path} was disconnected`, {
      details: { ...error.details, ...watch.reached() },
      cause: error,
    })
  if (target.kind === 'device' && (isKnown || (await gone(target)))) return wrapped('E_DST_GONE', target.disk)
  if (source.kind === 'device' && (await gone(source))) return wrapped('E_SRC_GONE', source.disk)
  return error
}

function outcomeOf(
  error: unknown,
  target: TargetState,
  { signal }: Pick<JobContext, 'signal'>,
): Extract<JobOutcome, { kind: 'failed' | 'cancelled' }> {
  const aborted =
    signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'))
  // A stall aborts with an error of its own.
  if (aborted && !(signal.reason instanceof DeviceError)) return { kind: 'cancelled', target, percent: null }
  return { kind: 'failed', target, error: serializeError(aborted ? signal.reason : error) }
}
