/**
 * A crew without threads, for images whose data is stored as it is: to read it, the system's own threads are enough. It
 * saves the start of a JavaScript engine for each worker (35 ms and 15 MB), and half of the switches between threads.
 */
import { BugError } from '#shared/errors'
import { firstOnDisk, type Crew, type CrewJob } from './crew.ts'
import { fillExtents, type FillMeans } from './fill-extents.ts'
import { PartFiles } from './part-files.ts'
import { readStoredLater } from './stored-reader.ts'
import { countersEach } from './worker-counters.ts'
import type { WorkerFailure } from './worker-job.ts'

export class FiberCrew implements Crew {
  readonly totals: Float64Array<SharedArrayBuffer>
  readonly #failures: WorkerFailure[] = []
  readonly #gone: Promise<unknown>

  /** `onCrash` is called when one ended otherwise than by finishing. */
  constructor(job: CrewJob & { kind: 'extents' }, count: number, onCrash: (error: unknown) => void) {
    this.totals = new Float64Array(new SharedArrayBuffer(count * countersEach * 8))
    const files = new PartFiles()
    const means: FillMeans = {
      read: (parts, streamOffset, into) => readStoredLater(parts, streamOffset, into, files),
      waitForRoom: (ring, block) => ring.waitForRoomLater(block),
      loadDecoder: () =>
        Promise.reject(new BugError('E_BUG', 'a compressed run was given to fibers', { details: {} })),
      postFailure: (failure) => this.#failures.push(failure),
    }
    const fibers = Array.from({ length: count }, (_, index) => {
      const counters = this.totals.subarray(index * countersEach, (index + 1) * countersEach)
      return fillExtents({ ...job, counters }, means).catch(onCrash)
    })
    this.#gone = Promise.all(fibers).finally(() => files[Symbol.dispose]())
  }

  firstFailure(): WorkerFailure | null {
    return firstOnDisk(this.#failures)
  }

  async stop(): Promise<void> {
    await this.#gone
  }
}
