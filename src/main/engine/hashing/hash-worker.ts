/** Entry of a hash lane's thread. */
import { parentPort } from 'node:worker_threads'
import { invariant, serializeError } from '#shared/errors'
import type { HashAnswer, HashOrder } from './hash-order.ts'
import { Hasher } from './hasher.ts'

invariant(parentPort !== null, 'this is the program of a worker thread')
const port = parentPort
const hasher = new Hasher()

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of worker_threads has no origin
const answer = (message: HashAnswer) => port.postMessage(message)

/** Null: nothing more comes. */
port.on('message', (order: HashOrder | null) => {
  if (order === null) {
    port.close()
    return
  }
  try {
    answer({ digests: hasher.run(order) })
  } catch (error) {
    answer({ error: serializeError(error) })
  }
})
