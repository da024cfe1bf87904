/** Makes the destination blank before anything is written: whatever happens from here on, nobody takes it for whole. */
import type { BlockSink } from '#engine/block-io'
import { headBytes } from './head-blocks.ts'

/** The backup GPT lies in the last 33 blocks; older RAID and file systems keep their labels in the last few hundred KiB. */
const tailBytes = 1024 ** 2

/**
 * Zeros over the first and the last blocks, on the medium when this resolves. A file has nothing left to erase: it was
 * cut to nothing (`finish(0)`).
 */
export async function eraseTarget(sink: BlockSink, signal: AbortSignal): Promise<void> {
  const { sizeBytes } = sink
  if (sizeBytes === null) {
    await sink.finish(0)
    return
  }
  const head = Math.min(headBytes, sizeBytes)
  const tail = Math.min(tailBytes, sizeBytes - head)
  await sink.zero(0, head, signal)
  if (tail > 0) await sink.zero(sizeBytes - tail, tail, signal)
  await sink.flush()
}
