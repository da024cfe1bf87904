/** Notices when nothing moves any more, which is how bad cables, dying cards and unplugged network disks fail. */
import type { JobContext } from '#engine/job'
import { DeviceError } from '#shared/errors'
import type { JobPhase } from '#shared/model'
import { defaultNow, type RestoreDeps } from './restore-deps.ts'

export interface ProgressWatch extends Disposable {
  /** The job's context, watched. Its signal also aborts on a stall, where that was asked for. */
  readonly context: JobContext
  /** The E_STALL that ended it, or null. */
  stall(): DeviceError | null
}

const defaultStallMs = 60_000
/** Phases in which bytes move. */
const moving: ReadonlySet<JobPhase> = new Set(['erasing', 'restoring', 'verifying'])

export function watchProgress(
  job: JobContext,
  { now = defaultNow, stallMs = defaultStallMs, onStall = 'wait' }: Omit<RestoreDeps, 'platform' | 'io'>,
  path: string,
): ProgressWatch {
  const stop = new AbortController()
  let phase: JobPhase | null = null
  let lastMs = now()
  let told = false
  let stall: DeviceError | null = null
  const moved = () => {
    lastMs = now()
    told = false
  }
  const look = () => {
    const silentMs = now() - lastMs
    if (phase === null || !moving.has(phase) || told || silentMs < stallMs) return
    told = true
    const seconds = Math.round(silentMs / 1000)
    job.log.warn('nothing has moved for a long time', { path, phase, seconds })
    if (onStall === 'wait') return
    stall = new DeviceError('E_STALL', `no progress for ${seconds} s while ${phase}`, {
      details: { path, phase, seconds },
    })
    stop.abort(stall)
  }
  const timer = setInterval(look, Math.min(1000, stallMs / 4))
  timer.unref()
  return {
    context: {
      signal: AbortSignal.any([job.signal, stop.signal]),
      log: job.log,
      enter(entered, totalBytes) {
        phase = entered
        moved()
        job.enter(entered, totalBytes)
      },
      skip: (skipped) => job.skip(skipped),
      advance(doneBytes) {
        moved()
        job.advance(doneBytes)
      },
      limitedBy: (bottleneck) => job.limitedBy(bottleneck),
      streamed: (progress) => job.streamed(progress),
    },
    stall: () => stall,
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
