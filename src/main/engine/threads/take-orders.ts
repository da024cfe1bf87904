/** What the program of a `WorkerThread` does with what it is sent. */
import { parentPort } from 'node:worker_threads'
import { invariant } from '#shared/errors'

/**
 * `work` gets one order after the other, each when it is done with the one before, and what it returns or resolves to is the
 * answer; what it throws ends the thread. Told to leave, the thread takes no further order. Both ends know the types.
 */
export function takeOrders(work: (order: never) => unknown): void {
  invariant(parentPort !== null, 'this is the program of a worker thread')
  const port = parentPort
  let isLeaving = false
  const obey = async (before: Promise<void>, order: object) => {
    await before
    if (isLeaving) return
    const answer = await work(order as never)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of worker_threads has no origin
    port.postMessage(answer)
  }
  let turn = Promise.resolve()
  port.on('message', (order: object | null) => {
    if (order !== null) turn = obey(turn, order)
    else {
      isLeaving = true
      port.close()
    }
  })
}
