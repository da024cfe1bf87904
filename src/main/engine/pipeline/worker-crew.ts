/** The worker threads of one stream: started together, watched, and gone when `stop` resolves. */
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'
import { BugError, serializeError, deserializeError } from '#shared/errors'
import { firstOnDisk, type Crew, type CrewJob } from './crew.ts'
import { countersEach } from './worker-counters.ts'
import type { WorkerFailure, WorkerJob } from './worker-job.ts'
import { workerLocation } from './worker-location.ts'

/** How long a worker may take to leave by itself before it is ended. */
const graceMs = 100

export class WorkerCrew implements Crew {
  /** Four numbers a worker, in a row (see `worker-counters.ts`). */
  readonly totals: Float64Array<SharedArrayBuffer>
  readonly #workers: { readonly worker: Worker; readonly gone: Promise<void> }[] = []
  readonly #mail: MessagePort[] = []

  /** `onCrash` is called, at most once a worker, when one ended otherwise than by finishing. */
  constructor(job: CrewJob, count: number, onCrash: (error: unknown) => void) {
    this.totals = new Float64Array(new SharedArrayBuffer(count * countersEach * 8))
    for (let index = 0; index < count; index++) {
      const { port1, port2 } = new MessageChannel()
      const counters = this.totals.subarray(index * countersEach, (index + 1) * countersEach)
      const worker = new Worker(workerLocation(), {
        name: `pipeline ${index}`,
        workerData: { job: { ...job, counters }, failures: port2 } satisfies WorkerJob,
        transferList: [port2],
        // Nothing of how this process was started concerns it: no inspector, no loaders, no test runner.
        execArgv: [],
        resourceLimits: { maxYoungGenerationSizeMb: 8 },
      })
      this.#mail.push(port1)
      this.#workers.push({ worker, gone: watch(worker, onCrash) })
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
    const all = Promise.all(this.#workers.map(({ gone }) => gone))
    const patience = setTimeout(() => {
      for (const { worker } of this.#workers) void worker.terminate()
    }, graceMs)
    await all
    clearTimeout(patience)
    for (const port of this.#mail) port.close()
  }
}

function watch(worker: Worker, onCrash: (error: unknown) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let crashed = false
  worker.once('error', (error) => {
    crashed = true
    onCrash(deserializeError(serializeError(error)))
  })
  worker.once('exit', (exitCode) => {
    if (exitCode !== 0 && !crashed)
      onCrash(new BugError('E_BUG', `a pipeline worker ended with ${exitCode}`, { details: { exitCode } }))
    resolve()
  })
  return promise
}
