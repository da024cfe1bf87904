/** Entry of the thread that holds a port's connections and streams. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Call, Notice, ThreadData } from '#engine/multicast/orders'
import { invariant, serializeError } from '#shared/errors'
import { StreamThread } from './stream-thread.ts'
import { goBeforeOthers } from './thread-turn.ts'

invariant(parentPort !== null, 'this is the program of a worker thread')
const port = parentPort

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of worker_threads has no origin
const post = (notice: Notice) => port.postMessage(notice)

const thread = new StreamThread(workerData as ThreadData, post)

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
  goBeforeOthers()
  await thread.open()
  port.on('message', (call: Call) => void obey(call))
  post({ kind: 'ready' })
} catch (error) {
  post({ kind: 'unable', error: serializeError(error) })
}
