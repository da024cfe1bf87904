/** Makes the destination blank before anything is written: whatever happens from here on, nobody takes it for whole. */
import type { BlockSink } from '#engine/block-io'
import { blankEnds, diskEnds } from './disk-ends.ts'

/**
 * Zeros over the first and the last blocks, on the medium when this resolves. A file has nothing left to erase: it was
 * cut to nothing (`finish(0)`).
 */
export async function eraseTarget(sink: BlockSink, signal: AbortSignal): Promise<void> {
  if (sink.sizeBytes === null) await sink.finish(0)
  else await blankEnds(sink, diskEnds(sink, sink.sizeBytes), signal)
}
