/** Entry of the thread that holds a port's connections and streams. */
import { constants, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { invariant, serializeError } from '#shared/errors'
import type { Call, Notice, ThreadData } from './orders.ts'
import { StreamThread } from './stream-thread.ts'

invariant(parentPort !== null, 'this is the program of a worker thread')
const port = parentPort

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of worker_threads has no origin
const post = (notice: Notice) => port.postMessage(notice)

const thread = new StreamThread(workerData as ThreadData, post)

/**
 * A datagram that is late by some milliseconds can't be made up for within the Data Rate: this thread goes before others.
 * 0 is the calling thread on Linux, and the whole process elsewhere, which is left as it is; only root may do this.
 */
function goFirst(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, constants.priority.PRIORITY_HIGH)
  } catch {
    // As all others, then.
  }
}

async function obey({ call, order }: Call): Promise<void> {
  try {
    await thread.obey(order)
    post({ kind: 'done', call, error: null })
  } catch (error) {
    post({ kind: 'done', call, error: serializeError(error) })
  }
  if (order.kind === 'close') port.close()
}

try {
  goFirst()
  await thread.open()
  port.on('message', (call: Call) => void obey(call))
  post({ kind: 'ready' })
} catch (error) {
  post({ kind: 'unable', error: serializeError(error) })
}
