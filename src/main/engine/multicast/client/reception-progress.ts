/** How far a reception is, for whoever draws it: made of what the receiver counts, what is here, and what the server said. */
import type { ReceiverProgress } from '#engine/multicast/receiver'
import { startsByHand } from '#engine/multicast/wire'
import type { SerializedError } from '#shared/errors'
import type { StreamProgress } from '#shared/model'
import type { BlockLedger } from './block-ledger.ts'
import type { ServerPresence } from './server-presence.ts'
import type { StreamMeter } from './stream-meter.ts'

export interface ProgressParts {
  readonly state: StreamProgress['state']
  readonly server: Pick<ServerPresence, 'waiting' | 'standing'>
  readonly ledger: Pick<BlockLedger, 'blocks' | 'missing'>
  readonly meter: StreamMeter
  /** Null before the first receiver. */
  readonly receiver: Pick<ReceiverProgress, 'received' | 'expected' | 'passes' | 'passStart'> | null
  readonly symbolBytes: number
  readonly silence: SerializedError | null
}

export function progressOf(parts: ProgressParts, nowMs: number): StreamProgress {
  const { state, ledger, meter, receiver, symbolBytes, silence } = parts
  const { waiting, standing } = parts.server
  const { bytesPerSecond, loss } = meter.sample(nowMs, receiver ?? { received: 0, expected: 0 }, symbolBytes)
  return {
    state,
    waiting: waiting && {
      joined: waiting.joined,
      wanted: waiting.wanted === 0 ? null : waiting.wanted,
      startsInMs: waiting.startsInMs === startsByHand ? null : waiting.startsInMs,
    },
    passes: receiver?.passes ?? [],
    passStart: receiver?.passStart ?? null,
    blocks: ledger.blocks,
    missingBlocks: ledger.missing,
    receivedBytesPerSecond: bytesPerSecond,
    loss,
    standing,
    silence,
  }
}
