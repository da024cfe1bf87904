/** The worker threads of one stream: started together, watched, and gone when `stop` resolves. */
import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { workerLocation, WorkerThread } from '#engine/threads'
import { firstOnDisk, type Crew, type CrewJob } from './crew.ts'
import { countersEach } from './worker-counters.ts'
import type { WorkerFailure, WorkerJob } from './worker-job.ts'

export class WorkerCrew implements Crew {
  /** Four numbers a worker, in a row (see `worker-counters.ts`). */
  readonly totals: Float64Array<SharedArrayBuffer>
  readonly #threads: WorkerThread<never, never>[] = []
  readonly #mail: MessagePort[] = []

  /** `onCrash` is called, at most once a worker, when one ended otherwise than by finishing. */
  constructor(job: CrewJob, count: number, onCrash: (error: unknown) => void) {
    this.totals = new Float64Array(new SharedArrayBuffer(count * countersEach * 8))
    for (let index = 0; index < count; index++) {
      const { port1, port2 } = new MessageChannel()
      const counters = this.totals.subarray(index * countersEach, (index + 1) * countersEach)
      this.#mail.push(port1)
      this.#threads.push(
        new WorkerThread(workerLocation('pipeline-worker', import.meta.url), {
          name: `pipeline ${index}`,
          data: { job: { ...job, counters }, failures: port2 } satisfies WorkerJob,
          transfer: [port2],
          onCrash,
          // At the end of the image, and when the ring was stopped.
          mayFinish: true,
        }),
      )
    }
  }

  /** The posted failure that lies first on the disk. */
  firstFailure(): WorkerFailure | null {
    const failures: WorkerFailure[] = []
    for (const port of this.#mail) {
      for (let mail = receiveMessageOnPort(port); mail !== undefined; mail = receiveMessageOnPort(port))
        failures.push(mail.message as WorkerFailure)
    }
    return firstOnDisk(failures)
  }

  /** Call when they were told to leave. Resolves when every thread has ended; one that doesn't leave is ended. */
  async stop(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.leave()))
    for (const port of this.#mail) port.close()
  }
}
