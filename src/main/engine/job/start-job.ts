/**
 * Runs an engine and tells how it goes. The engine bumps counters in its `JobContext`; here they are sampled four times
 * a second into a `JobState`. Nothing an engine, a listener or a caller does can make a job end twice or not at all.
 */
import {
  imageTaskSource,
  withoutPassword,
  type Bottleneck,
  type ImageTask,
  type JobOutcome,
  type JobState,
  type Stall,
  type StreamProgress,
} from '#shared/model'
import { serializeError, thrownFirst } from '#shared/errors'
import { withFields, type Logger } from '#shared/log'
import type { JobContext } from './job-context.ts'
import { endFacts, restoreFacts, taskFacts } from './job-facts.ts'
import { firstRecord, next, type JobEvent, type JobRecord } from './job-record.ts'

export interface JobDescription {
  readonly jobId: string
  readonly kind: JobState['kind']
  readonly title: string
  readonly plan: JobState['plan']
  /** What is asked for, where it isn't a restore, of which its plan says it. Kept by nobody: a password may be in it. */
  readonly task?: ImageTask
}

export interface JobDeps {
  /** Milliseconds since 1970, by a clock that never runs backwards. Default: the time of day at the start, and then the process's. */
  readonly now?: () => number
  readonly log: Logger
  /** Calls `tick` every `periodMs` until disposed. Default: a timer of Node's. */
  readonly every?: (periodMs: number, tick: () => void) => Disposable
  /** Held while the job runs. Must not throw. Default: nothing is. */
  readonly keepAwake?: { hold(): Disposable }
}

export type JobListener = (state: JobState) => void

export interface Job {
  readonly jobId: string
  state(): JobState
  /**
   * Calls `listener` with the state now, then at each change of phase, at most four times a second in between, and once
   * with the final state, after which never again. Returns the function that ends it.
   */
  subscribe(listener: JobListener): () => void
  /**
   * Asks the engine to stop; `reason` is its signal's, an `Interruption` or a person's Stop. Resolves to the final state, when the
   * work has really stopped. May be called twice.
   */
  cancel(reason?: unknown): Promise<JobState>
  /** Resolves to the final state. Never rejects. */
  readonly ended: Promise<JobState>
}

const periodMs = 250

/** From the time of day on. What counts from the process's start stands still while the computer sleeps. */
function clockFromNow(): () => number {
  const originMs = Date.now() - performance.now()
  return () => Math.round(originMs + performance.now())
}

function defaultEvery(periodMs: number, tick: () => void): Disposable {
  const timer = setInterval(tick, periodMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/**
 * Start `run` in the next turn of the event loop, so that whoever calls can subscribe first. What `run` throws becomes
 * the outcome: cancelled if the job was asked to stop, else failed, in both cases with an untouched destination, or a changed one if the
 * engine said so: one that leaves anything else behind must say that by resolving.
 */
export function startJob(
  description: JobDescription,
  run: (context: JobContext) => Promise<JobOutcome>,
  deps: JobDeps,
): Job {
  const now = deps.now ?? clockFromNow()
  const { task, ...described } = description
  const { jobId, kind, plan } = described
  const log = withFields(deps.log, { job: jobId })
  const facts = plan === null ? task && taskFacts(task) : restoreFacts(plan)
  const stop = new AbortController()
  const listeners = new Set<JobListener>()
  let record: JobRecord = firstRecord({ ...described, source: sourceOf(description), startedMs: now() })
  let doneBytes = 0
  let limitedBy: Bottleneck | null = null
  let stall: Stall | null = null
  let stream: StreamProgress | null = null
  let stale = false
  let isChanged = false

  const apply = (event: JobEvent) => {
    record = next(record, event)
  }
  const tell = () => {
    stale = false
    for (const listener of listeners) tellOne(listener)
  }
  const tellOne = (listener: JobListener) => {
    try {
      listener(record.state)
    } catch (error) {
      log.error('a listener of a job failed', { error: serializeError(error) })
    }
  }
  const sample = () => apply({ kind: 'sampled', doneBytes, limitedBy, stall, stream, atMs: now() })

  const context: JobContext = {
    signal: stop.signal,
    log,
    enter(phase, totalBytes = null) {
      const { progress } = record.state
      if (progress !== null && progress.totalBytes !== null) {
        // Whoever draws a bar sees it full before the next one begins.
        apply({ kind: 'completed', atMs: now() })
        tell()
      }
      doneBytes = 0
      limitedBy = null
      stall = null
      stream = null
      apply({ kind: 'entered', phase, totalBytes, atMs: now() })
      tell()
    },
    skip(phase) {
      apply({ kind: 'skipped', phase, atMs: now() })
      tell()
    },
    advance(bytes) {
      doneBytes = bytes
      stale = true
    },
    limitedBy(bottleneck) {
      limitedBy = bottleneck
      stale = true
    },
    stalled(now) {
      stall = now
      stale = true
    },
    streamed(progress) {
      stream = progress
      stale = true
    },
    changed() {
      isChanged = true
    },
  }

  async function live(): Promise<JobState> {
    // The next turn, not the next microtask: the caller may have to await something before it can subscribe.
    await new Promise((begin) => setImmediate(begin))
    log.info('a job begins', { kind, ...facts })
    const came = await (async () => {
      using _awake = deps.keepAwake?.hold()
      using _ticking = (deps.every ?? defaultEvery)(periodMs, () => {
        const { progress } = record.state
        if (progress === null) return
        // Also without news: a speed falls when nothing happens any more.
        const slowing = progress.doneBytes > 0 && progress.bytesPerSecond !== 0
        if (!stale && !slowing) return
        sample()
        tell()
      })
      try {
        // Cancelled before it began: an engine would only have to look for itself.
        stop.signal.throwIfAborted()
        return await run(context)
      } catch (error) {
        return outcomeOfError(error, stop.signal)
      }
    })()
    const outcome = isChanged ? withChanged(came) : came
    sample()
    apply({ kind: 'ended', outcome, atMs: now() })
    logEnd(outcome)
    tell()
    listeners.clear()
    return record.state
  }

  /** Whoever handles an error logs it, once: here every job ends. */
  function logEnd(outcome: JobOutcome): void {
    const seconds = Math.round(now() - record.state.startedMs) / 1000
    const fields = { kind, seconds, ...endFacts(outcome) }
    if (outcome.kind === 'failed') log.error('a job failed', fields)
    else log.info(outcome.kind === 'cancelled' ? 'a job was stopped' : 'a job is done', fields)
  }

  const ended = live()
  return {
    jobId: description.jobId,
    ended,
    state: () => record.state,
    subscribe(listener) {
      if (record.state.outcome === null) listeners.add(listener)
      tellOne(listener)
      return () => listeners.delete(listener)
    },
    async cancel(reason) {
      if (record.state.outcome === null && !stop.signal.aborted) {
        apply({ kind: 'stopping', atMs: now() })
        // Before it is told: a listener may cancel, too.
        stop.abort(reason)
        tell()
      }
      return ended
    },
  }
}

function sourceOf({ plan, task }: JobDescription): string | null {
  const locator = plan?.request.source ?? (task ? imageTaskSource(task) : null)
  return locator === null ? null : withoutPassword(locator)
}

/** Of work that said that the image isn't what it was. */
function withChanged(outcome: JobOutcome): JobOutcome {
  const isUntouched =
    (outcome.kind === 'failed' || outcome.kind === 'cancelled') && outcome.target === 'untouched'
  return isUntouched ? { ...outcome, target: 'changed' } : outcome
}

/** What a job came to that threw `error`, as `startJob` has it. */
export function outcomeOfError(
  thrown: unknown,
  signal: AbortSignal,
): Extract<JobOutcome, { kind: 'failed' | 'cancelled' }> {
  const error = thrownFirst(thrown)
  const cancelled =
    signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'))
  return cancelled
    ? { kind: 'cancelled', target: 'untouched', percent: null }
    : { kind: 'failed', error: serializeError(error), target: 'untouched' }
}
