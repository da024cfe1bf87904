/** What holds a copy up, told from what the pipeline's workers spent their time with. */
import type { JobContext } from '#engine/job'
import type { BlockStream, StreamCounters } from '#engine/pipeline'
import type { Bottleneck } from '#shared/model'

/**
 * Workers that wait for room wait for the destination; else they are held up by what they do most. No time spent at all
 * means that nothing was asked of them: the destination is busy with something else.
 */
export function bottleneckOf(before: StreamCounters, after: StreamCounters): Bottleneck {
  const waitNs = after.waitNs - before.waitNs
  const readNs = after.readNs - before.readNs
  const decodeNs = after.decodeNs - before.decodeNs
  if (waitNs >= readNs + decodeNs) return 'destination'
  return readNs >= decodeNs ? 'source' : 'decoding'
}

const periodMs = 500

/** `look` is cheap: call it per block. */
export function createBottleneckWatch(
  stream: Pick<BlockStream, 'counters'>,
  context: Pick<JobContext, 'limitedBy'>,
  now: () => number,
): { look(): void } {
  let sinceMs = now()
  let before = stream.counters()
  return {
    look() {
      const atMs = now()
      if (atMs - sinceMs < periodMs) return
      const after = stream.counters()
      context.limitedBy(bottleneckOf(before, after))
      sinceMs = atMs
      before = after
    },
  }
}
