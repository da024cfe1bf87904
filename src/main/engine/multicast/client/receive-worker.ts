/** Entry of the thread that receives: connects it with whoever started it, and ends when it is finished. */
import { parentPort, workerData } from 'node:worker_threads'
import { invariant } from '#shared/errors'
import { createReception } from './reception.ts'
import type { FromReception, ReceptionData, ToReception } from './reception-messages.ts'

invariant(parentPort !== null, 'this is the program of a worker thread')
const port = parentPort

const reception = createReception(
  workerData as ReceptionData,
  (message: FromReception, transfer: readonly ArrayBuffer[] = []) => port.postMessage(message, [...transfer]),
)

port.on('message', (message: ToReception) => {
  switch (message.kind) {
    case 'written':
      return reception.written(message.block)
    case 'again':
      return reception.again(message.block)
    case 'verifying':
      return reception.verifying()
    case 'halt':
      return reception.halt()
    default:
      void reception.finish(message.outcome, message.text).finally(() => port.close())
  }
})
