/**
 * Notices when nothing moves any more, which is how bad cables, dying cards and unplugged network disks fail, and who it
 * is that doesn't answer: the destination while it reads or writes, else the source.
 */
import type { BlockSink, OnPiece } from '#engine/block-io'
import { wholePercent, type JobContext } from '#engine/job'
import { DeviceError } from '#shared/errors'
import type { JobPhase, Stall } from '#shared/model'
import { defaultNow, type RestoreDeps } from './restore-deps.ts'

export interface ProgressWatch extends Disposable {
  /** The job's context, watched. Its signal also aborts on a stall, with E_STALL, where that was asked for. */
  readonly context: JobContext
  /** The destination, watched. */
  sink(sink: BlockSink): BlockSink
  /** Where it is now, as it is shown; null outside copying and verifying, and where the whole isn't known. */
  reached(): { readonly phase: JobPhase; readonly percent: number } | null
}

/** What the log calls them. A source that is null tells itself what it waits for: a stream, a web server. */
export interface WatchedEnds {
  readonly source: string | null
  readonly target: string
}

const defaultStallMs = 60_000
/** Phases in which bytes move. */
const moving: ReadonlySet<JobPhase> = new Set(['erasing', 'restoring', 'verifying'])

export function watchProgress(
  job: JobContext,
  { now = defaultNow, stallMs = defaultStallMs, onStall = 'wait' }: Omit<RestoreDeps, 'platform' | 'io'>,
  ends: WatchedEnds,
): ProgressWatch {
  const stop = new AbortController()
  const periodMs = Math.min(1000, stallMs / 4)
  const asked = { pieces: 0, stretches: 0 }
  let phase: JobPhase | null = null
  let whole: number | null = null
  let done = 0
  let movedMs = now()
  let lookedMs = movedMs
  let isStalled = false
  const moved = () => {
    movedMs = now()
    if (isStalled) job.stalled(null)
    isStalled = false
  }
  /** Who is waited for, where they can be blamed: what a disk does by itself, as zeroing or flushing, takes as long as it takes. */
  const awaited = (): Stall['awaited'] | null => {
    if (asked.pieces > 0) return 'destination'
    return asked.stretches > 0 || ends.source === null ? null : 'source'
  }
  const look = () => {
    const sinceMs = now() - lookedMs
    lookedMs += sinceMs
    // So late, it was this process that stood still.
    if (sinceMs > 10 * periodMs) moved()
    const silentMs = lookedMs - movedMs
    const who = awaited()
    if (phase === null || !moving.has(phase) || who === null || silentMs < stallMs) return
    if (!isStalled) noticed(phase, who, silentMs)
    isStalled = true
    job.stalled({ silentMs: Math.round(silentMs), awaited: who })
  }
  const noticed = (phase: JobPhase, awaited: Stall['awaited'], silentMs: number) => {
    const path = (awaited === 'source' ? ends.source : null) ?? ends.target
    const details = { path, phase, seconds: Math.round(silentMs / 1000) }
    job.log.warn('nothing has moved for a long time', { ...details, awaited })
    if (onStall === 'fail')
      stop.abort(
        new DeviceError('E_STALL', `no progress for ${details.seconds} s while ${phase}`, { details }),
      )
  }
  const counted = async <Result>(
    asWhat: keyof typeof asked,
    work: (tell: OnPiece) => Promise<Result>,
    onPiece?: OnPiece,
  ): Promise<Result> => {
    let what = asWhat
    // Of a stretch that is sent the next pieces are sent as well, and who doesn't take one doesn't answer.
    const tell: OnPiece = async (lengthBytes, how) => {
      moved()
      asked[what] -= 1
      what = how === 'written' ? 'pieces' : 'stretches'
      asked[what] += 1
      await onPiece?.(lengthBytes, how)
    }
    moved()
    asked[what] += 1
    try {
      return await work(tell)
    } finally {
      asked[what] -= 1
      moved()
    }
  }
  const timer = setInterval(look, periodMs)
  timer.unref()
  return {
    context: {
      signal: AbortSignal.any([job.signal, stop.signal]),
      log: job.log,
      enter(entered, totalBytes) {
        phase = entered
        whole = totalBytes ?? null
        done = 0
        moved()
        job.enter(entered, totalBytes)
      },
      skip: (skipped) => job.skip(skipped),
      advance(doneBytes) {
        done = doneBytes
        moved()
        job.advance(doneBytes)
      },
      limitedBy: (bottleneck) => job.limitedBy(bottleneck),
      stalled: (stall) => job.stalled(stall),
      streamed: (progress) => job.streamed(progress),
      changed: () => job.changed(),
    },
    sink: (sink) => ({
      path: sink.path,
      sizeBytes: sink.sizeBytes,
      alignmentBytes: sink.alignmentBytes,
      write: (bytes, offset) => counted('pieces', () => sink.write(bytes, offset)),
      zero: (offset, lengthBytes, signal, onPiece) =>
        counted('stretches', (tell) => sink.zero(offset, lengthBytes, signal, tell), onPiece),
      discard: (offset, lengthBytes, signal, onPiece) =>
        counted('stretches', (tell) => sink.discard(offset, lengthBytes, signal, tell), onPiece),
      flush: () => counted('stretches', () => sink.flush()),
      read: (into, offset) => counted('pieces', () => sink.read(into, offset)),
      finish: (sizeBytes) => counted('stretches', () => sink.finish(sizeBytes)),
      [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
    }),
    reached() {
      const percent = phase === 'restoring' || phase === 'verifying' ? wholePercent(done, whole) : null
      return phase === null || percent === null ? null : { phase, percent }
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
