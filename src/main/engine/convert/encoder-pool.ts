/**
 * The threads that compress runs: as many as there are processors, answers in any order. Each has its next run before it is
 * done with the one at hand, so that it needn't wait for the thread that hands them out.
 */
import type { CompressedKind } from '#engine/formats/codecs'
import { workerLocation, WorkerThread } from '#engine/threads'
import { BugError, deserializeError } from '#shared/errors'
import type { EncodeAnswer, EncodeOrder, EncoderData } from './encode-job.ts'

export interface EncoderPoolOptions {
  readonly kind: CompressedKind
  readonly level: number
  /** The longest run. */
  readonly runBytes: number
  readonly workers: number
  readonly signal: AbortSignal
}

interface Order extends EncodeOrder {
  readonly resolve: (stored: Uint8Array | null) => void
  readonly reject: (reason: unknown) => void
}

interface Encoder {
  readonly thread: WorkerThread<EncodeOrder, EncodeAnswer>
  /** What it is at, and what it will be at next. */
  readonly orders: Order[]
}

/** Of each thread. */
const ordersEach = 2

export class EncoderPool implements AsyncDisposable {
  /** Slots there are: one at work and one waiting for each thread, one that is being filled, one being written. */
  readonly slots: number
  readonly #runBytes: number
  readonly #memory: SharedArrayBuffer
  readonly #workers: readonly Encoder[]
  readonly #waiting: Order[] = []
  readonly #signal: AbortSignal
  #failure: { readonly reason: unknown } | null = null

  constructor({ kind, level, runBytes, workers, signal }: EncoderPoolOptions) {
    this.slots = 2 * workers + 2
    this.#runBytes = runBytes
    this.#memory = new SharedArrayBuffer(this.slots * 2 * runBytes)
    this.#signal = signal
    const data: EncoderData = { kind, level, memory: this.#memory, runBytes }
    this.#workers = Array.from({ length: workers }, (_, index) => {
      const orders: Order[] = []
      const thread = new WorkerThread<EncodeOrder, EncodeAnswer>(
        workerLocation('convert-worker', import.meta.url),
        {
          name: `convert ${index}`,
          data,
          onAnswer: (answer) => this.#answered(orders, answer),
          onCrash: (error) => this.#fail(error),
        },
      )
      return { thread, orders }
    })
    signal.addEventListener('abort', this.#onAbort)
    if (signal.aborted) this.#onAbort()
  }

  /** Room for a run, the caller's until `encode`. */
  room(slot: number): Uint8Array {
    return new Uint8Array(this.#memory, 2 * slot * this.#runBytes, this.#runBytes)
  }

  /**
   * Compress the first `lengthBytes` of the slot's room. Resolves to the stored bytes, which stay until the slot is used
   * again; null when they aren't fewer. Rejects with what an encoder threw, or the signal's reason.
   */
  encode(slot: number, lengthBytes: number): Promise<Uint8Array | null> {
    if (this.#failure !== null) return Promise.reject(this.#failure.reason)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ slot, lengthBytes, resolve, reject })
      this.#dispatch()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#fail(new BugError('E_BUG', 'the encoders were let go', { details: {} }))
    await Promise.all(this.#workers.map(({ thread }) => thread.leave()))
  }

  readonly #onAbort = () => this.#fail(this.#signal.reason)

  #dispatch(): void {
    // First one for each, then the second.
    for (let held = 0; held < ordersEach; held++)
      for (const { thread, orders } of this.#workers) {
        if (orders.length > held) continue
        const order = this.#waiting.shift()
        if (order === undefined) return
        orders.push(order)
        const { slot, lengthBytes } = order
        thread.send({ slot, lengthBytes })
      }
  }

  #answered(orders: Order[], answer: EncodeAnswer): void {
    // Answers come in the order of the orders.
    const order = orders.shift()
    if (order === undefined) return
    if ('error' in answer) order.reject(deserializeError(answer.error))
    else {
      const { slot, storedBytes } = answer
      const start = (2 * slot + 1) * this.#runBytes
      order.resolve(storedBytes === null ? null : new Uint8Array(this.#memory, start, storedBytes))
    }
    this.#dispatch()
  }

  /** Everyone who waits hears why. The first reason stays. */
  #fail(reason: unknown): void {
    this.#failure ??= { reason }
    const orders = [...this.#workers.flatMap(({ orders }) => orders), ...this.#waiting.splice(0)]
    for (const { reject } of orders) reject(this.#failure.reason)
  }
}
