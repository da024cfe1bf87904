/**
 * A thread of ours, started and let go in one way: it is told to leave, and ended only when it doesn't. Ending a thread from
 * outside stops its JavaScript wherever it is, which is for those that hang, not for those that wait for something to do.
 */
import { Worker, type Transferable } from 'node:worker_threads'
import { BugError, deserializeError, serializeError } from '#shared/errors'

export interface ThreadOptions<Answer> {
  /** For messages, and as debuggers show it. */
  readonly name: string
  /** Its `workerData`. */
  readonly data?: unknown
  readonly transfer?: readonly Transferable[]
  readonly onAnswer?: (answer: Answer) => void
  /** Called at most once: it ended without having been told to, with what it threw or with BugError. */
  readonly onCrash: (error: unknown) => void
  /** One that has done its work ends by itself, and that is no crash. */
  readonly mayFinish?: boolean
}

/** How long a thread may take to leave by itself before it is ended: one that was told so is seldom at work. */
const graceMs = 100
/** And how long it is waited for then. One that reads from a disk or a file server that doesn't answer can't be ended before that does. */
const endedMs = 1000

/** The program at `location` gets its orders by `takeOrders`, where it is given any. */
export class WorkerThread<Order, Answer> {
  readonly #worker: Worker
  readonly #gone: Promise<void>
  #isLeaving = false

  constructor(location: URL, options: ThreadOptions<Answer>) {
    const { name, data, transfer = [], onAnswer, mayFinish = false } = options
    this.#worker = new Worker(location, {
      name,
      workerData: data,
      transferList: [...transfer],
      // Nothing of how this process was started concerns it: no inspector, no loaders, no test runner.
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    })
    let isOver = false
    const crashed = (error: unknown) => {
      if (!isOver && !this.#isLeaving) options.onCrash(error)
      isOver = true
    }
    if (onAnswer !== undefined) this.#worker.on('message', onAnswer)
    this.#worker.once('error', (error) => crashed(deserializeError(serializeError(error))))
    this.#gone = new Promise((resolve) =>
      this.#worker.once('exit', (exitCode) => {
        if (exitCode !== 0 || !mayFinish)
          crashed(
            new BugError('E_BUG', `the thread '${name}' ended with ${exitCode}`, { details: { exitCode } }),
          )
        resolve()
      }),
    )
  }

  send(order: Order): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(order)
  }

  /**
   * Resolves when it has ended; what it was asked and hasn't answered, it never may. A read that hangs is left to itself: it was handed
   * its file and its room by the system, and the thread does nothing more when it returns.
   */
  async leave(): Promise<void> {
    this.#isLeaving = true
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(null)
    let hung: NodeJS.Timeout | undefined
    const hangs = new Promise<void>((resolve) => {
      hung = setTimeout(resolve, graceMs + endedMs)
    })
    const patience = setTimeout(() => void this.#worker.terminate(), graceMs)
    await Promise.race([this.#gone, hangs])
    clearTimeout(hung)
    clearTimeout(patience)
  }
}
