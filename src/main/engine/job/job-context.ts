/**
 * What a running engine is given: the means to be cancelled and the counters to bump. Engines never draw, print or send
 * state; the job samples these and makes `JobState`s of them.
 */
import type { Bottleneck, JobPhase, Stall, StreamProgress } from '#shared/model'
import type { Logger } from '#shared/log'

/**
 * Why a job is to stop that nobody has called off: the computer goes down, or whoever looked on was cut off. What can be gone
 * on with is kept then.
 */
export class Interruption extends Error {
  override readonly name = 'AbortError'
}

export interface JobContext {
  readonly signal: AbortSignal
  readonly log: Logger
  /** Enter a phase; the one before is done. `totalBytes` null when it isn't known. */
  enter(phase: JobPhase, totalBytes?: number | null): void
  /** This phase won't happen. */
  skip(phase: JobPhase): void
  /** Bytes done in the current phase so far. Cheap: call it per block. */
  advance(doneBytes: number): void
  /** What holds the current phase up; call it as often as you like. */
  limitedBy(bottleneck: Bottleneck | null): void
  /** Nothing moves any more, or, with null, something does again. */
  stalled(stall: Stall | null): void
  /** How far receiving a stream is, in the current phase; call it as often as you like. */
  streamed(progress: StreamProgress | null): void
  /** An image that is changed where it is isn't what it was any more; it is whole, whatever is thrown from now on. */
  changed(): void
}
