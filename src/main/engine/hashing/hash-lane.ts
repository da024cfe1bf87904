/**
 * A line of hashing: what is given to it is taken in in order, by a thread of its own, so that digests which each need every
 * byte run beside one another and beside the decoders. Bytes aren't copied: they must lie in shared memory and stay until the
 * order is done.
 */
import { workerLocation, WorkerThread } from '#engine/threads'
import { BugError, deserializeError } from '#shared/errors'
import type { Digest, HashAnswer, HashOrder } from './hash-order.ts'
import { Hasher } from './hasher.ts'

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

interface Waiting {
  readonly resolve: (digests: readonly Digest[]) => void
  readonly reject: (reason: unknown) => void
}

class ThreadLane implements HashLane {
  readonly #thread: WorkerThread<HashOrder, HashAnswer>
  readonly #waiting: Waiting[] = []
  #failure: { readonly reason: unknown } | null = null

  constructor(name: string) {
    this.#thread = new WorkerThread(workerLocation('hash-worker', import.meta.url), {
      name: `hash ${name}`,
      onAnswer: (answer) => {
        const order = this.#waiting.shift()
        if ('error' in answer) order?.reject(deserializeError(answer.error))
        else order?.resolve(answer.digests)
      },
      onCrash: (error) => this.#fail(error),
    })
  }

  run(order: HashOrder): Promise<readonly Digest[]> {
    if (this.#failure !== null) return Promise.reject(this.#failure.reason)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#thread.send(order)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new BugError('E_BUG', 'the hash lane was closed', { details: {} }))
    await this.#thread.leave()
  }

  /** Everyone who waits hears why. The first reason stays. */
  #fail(reason: unknown): void {
    this.#failure ??= { reason }
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure.reason)
  }
}
