/**
 * Entry of the threads that compress. What our own encoders wrote is expanded again before it counts: an image that can't
 * be read must never take the place of one that could. (zlib is Node's and used by everyone.)
 */
import { workerData } from 'node:worker_threads'
import { decodeRun, encodeRun } from '#engine/formats/codecs'
import { takeOrders } from '#engine/threads'
import { BugError, serializeError } from '#shared/errors'
import type { EncodeAnswer, EncodeOrder, EncoderData } from './encode-job.ts'

const { kind, level, memory, runBytes } = workerData as EncoderData
const check = kind === 'zlib' ? null : new Uint8Array(runBytes)

async function encode({ slot, lengthBytes }: EncodeOrder): Promise<number | null> {
  const run = new Uint8Array(memory, 2 * slot * runBytes, lengthBytes)
  // One byte less: what doesn't shrink is stored as it is.
  const into = new Uint8Array(memory, (2 * slot + 1) * runBytes, lengthBytes - 1)
  const storedBytes = encodeRun(kind, run, into, level)
  if (storedBytes === null || check === null) return storedBytes
  const back = check.subarray(0, lengthBytes)
  await decodeRun(kind, into.subarray(0, storedBytes), back)
  if (Buffer.compare(back, run) !== 0)
    throw new BugError('E_BUG', `what was written as ${kind} reads as something else`, { details: {} })
  return storedBytes
}

// Encoders and the room to check in serve one run at a time.
takeOrders(async (order: EncodeOrder): Promise<EncodeAnswer> => {
  const { slot } = order
  try {
    return { slot, storedBytes: await encode(order) }
  } catch (error) {
    return { slot, error: serializeError(error) }
  }
})
