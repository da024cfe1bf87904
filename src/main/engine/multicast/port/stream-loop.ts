/**
 * The loop that drives the streams of a port: each sends what it may send now, and says when it wants to be asked again. Precise
 * waiting blocks the thread, so it never lasts longer than a few milliseconds before the event loop, and with it every connection,
 * has its turn.
 */
import type { SessionStream } from './session-stream.ts'

export interface StreamLoopOptions {
  /** Those that send. Asked anew at every turn. */
  readonly streams: () => readonly SessionStream[]
  /** Answer who fetches from it; returns when to be asked again. */
  readonly serveFetches: (stream: SessionStream) => number
  /** Called a few times a second, and soon after `hurry`. */
  readonly tick: (nowMs: number) => void
}

/** The event loop's turn comes at least so often; waits that are longer leave the processor to others. */
const turnMs = 5
const idleMs = 8
/** While the system's buffer is full. */
const queuedMs = 0.2
const tickMs = 200

export class StreamLoop {
  readonly #options: StreamLoopOptions
  readonly #sleep = new Int32Array(new SharedArrayBuffer(4))
  #timer: NodeJS.Timeout | null = null
  #isTurnDue = false
  #isClosed = false
  #turns = 0
  #tickDueMs = 0

  constructor(options: StreamLoopOptions) {
    this.#options = options
  }

  /** Something changed: don't sleep. */
  readonly wake = (): void => {
    if (this.#isTurnDue || this.#isClosed) return
    this.#isTurnDue = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    setImmediate(this.#turn)
  }

  /** A tick is due with the next turn. */
  hurry(): void {
    this.#tickDueMs = 0
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  readonly #turn = (): void => {
    this.#isTurnDue = false
    if (this.#isClosed) return
    const { serveFetches, tick } = this.#options
    const beganMs = performance.now()
    if (beganMs >= this.#tickDueMs) {
      this.#tickDueMs = beganMs + tickMs
      tick(beganMs)
    }
    const streams = this.#inTurn(this.#options.streams())
    const untilMs = beganMs + turnMs
    for (;;) {
      let dueMs = this.#tickDueMs
      for (const stream of streams) dueMs = Math.min(dueMs, stream.send(untilMs), serveFetches(stream))
      const nowMs = performance.now()
      const restMs = dueMs - nowMs
      if (streams.some((stream) => stream.isQueued)) {
        Atomics.wait(this.#sleep, 0, 0, queuedMs)
        this.wake()
      } else if (nowMs < untilMs && dueMs < untilMs) {
        if (restMs > 0) Atomics.wait(this.#sleep, 0, 0, restMs)
        continue
      } else if (restMs > idleMs) this.#timer = setTimeout(this.wake, restMs - 1)
      else {
        if (nowMs < untilMs) Atomics.wait(this.#sleep, 0, 0, untilMs - nowMs)
        this.wake()
      }
      return
    }
  }

  /** Another one first each time: one whose rate is more than the processor has leaves nothing to those behind it. */
  #inTurn(streams: readonly SessionStream[]): readonly SessionStream[] {
    this.#turns += 1
    const first = this.#turns % Math.max(1, streams.length)
    return [...streams.slice(first), ...streams.slice(0, first)]
  }
}
