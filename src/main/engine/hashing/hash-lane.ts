/**
 * A line of hashing: what is given to it is taken in in order, by a thread of its own, so that digests which each need every
 * byte run beside one another and beside the decoders. Bytes aren't copied: they must lie in shared memory and stay until the
 * order is done.
 */
import { Worker } from 'node:worker_threads'
import { BugError, deserializeError, serializeError } from '#shared/errors'
import type { Digest, HashAnswer, HashOrder } from './hash-order.ts'
import { Hasher } from './hasher.ts'
import { workerLocation } from './worker-location.ts'

export interface HashLane extends AsyncDisposable {
  /** Resolves when the order's bytes aren't needed any more, to the digests that ended in it. Rejects when the lane broke. */
  run(order: HashOrder): Promise<readonly Digest[]>
}

/** In place: for images so small that starting threads would take longer than hashing them. */
export function createInlineLane(): HashLane {
  const hasher = new Hasher()
  return {
    run: async (order) => hasher.run(order),
    async [Symbol.asyncDispose]() {},
  }
}

export function createThreadLane(name: string): HashLane {
  return new ThreadLane(name)
}

/** How long a thread may take to leave by itself before it is ended: one that was told so is seldom at work. */
const graceMs = 100

interface Waiting {
  readonly resolve: (digests: readonly Digest[]) => void
  readonly reject: (reason: unknown) => void
}

class ThreadLane implements HashLane {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  readonly #gone: Promise<unknown>
  #failure: { readonly reason: unknown } | null = null

  constructor(name: string) {
    this.#worker = new Worker(workerLocation(), {
      name: `hash ${name}`,
      // Nothing of how this process was started concerns it: no inspector, no loaders, no test runner.
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    })
    this.#worker.on('message', (answer: HashAnswer) => {
      const order = this.#waiting.shift()
      if ('error' in answer) order?.reject(deserializeError(answer.error))
      else order?.resolve(answer.digests)
    })
    this.#worker.once('error', (error) => this.#fail(deserializeError(serializeError(error))))
    this.#gone = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.once('exit', (exitCode) =>
      this.#fail(new BugError('E_BUG', `a hash lane ended with ${exitCode}`, { details: { exitCode } })),
    )
  }

  run(order: HashOrder): Promise<readonly Digest[]> {
    if (this.#failure !== null) return Promise.reject(this.#failure.reason)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      this.#worker.postMessage(order)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new BugError('E_BUG', 'the hash lane was closed', { details: {} }))
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(null)
    const patience = setTimeout(() => void this.#worker.terminate(), graceMs)
    await this.#gone
    clearTimeout(patience)
  }

  /** Everyone who waits hears why. The first reason stays. */
  #fail(reason: unknown): void {
    this.#failure ??= { reason }
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure.reason)
  }
}
