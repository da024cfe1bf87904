/** Entry of a decoding thread: runs of a stream's image, as they have come. */
import { decodeRun } from '#engine/formats/codecs'
import { takeOrders } from '#engine/threads'
import { serializeError } from '#shared/errors'
import { runKinds } from '#shared/model'
import type { DecodeAnswer, DecodeOrder } from './decode-order.ts'

takeOrders(async ({ stored, out, pieces }: DecodeOrder): Promise<DecodeAnswer> => {
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
})
