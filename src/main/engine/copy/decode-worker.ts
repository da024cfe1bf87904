/** Entry of a decoding thread: runs of a stream's image, as they have come. */
import { parentPort } from 'node:worker_threads'
import { decodeRun } from '#engine/formats/codecs'
import { invariant, serializeError } from '#shared/errors'
import { runKinds } from '#shared/model'
import type { DecodeAnswer, DecodeOrder } from './decode-order.ts'

invariant(parentPort !== null, 'this is the program of a worker thread')
const port = parentPort

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of worker_threads has no origin
const answer = (message: DecodeAnswer) => port.postMessage(message)

async function decode({ stored, out, pieces }: DecodeOrder): Promise<DecodeAnswer> {
  for (const [piece, { kind, storedFrom, storedBytes, outFrom, outBytes }] of pieces.entries()) {
    try {
      await decodeRun(
        runKinds[kind] ?? 'raw',
        stored.subarray(storedFrom, storedFrom + storedBytes),
        out.subarray(outFrom, outFrom + outBytes),
      )
    } catch (error) {
      return { error: serializeError(error), piece }
    }
  }
  return null
}

// One at a time: whoever asks waits for the answer before it asks again.
port.on('message', (order: DecodeOrder) => void decode(order).then(answer))
