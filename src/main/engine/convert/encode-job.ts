/** What the encoder threads and their pool tell each other. Plain data; bytes lie in shared memory. */
import type { CompressedKind } from '#engine/formats/codecs'
import type { SerializedError } from '#shared/errors'

/**
 * Slot `s` of `memory` has room for a run at 2 · s · runBytes and for its stored bytes right behind. It belongs to the pool's
 * owner, from an order for it to the answer to the worker.
 */
export interface EncoderData {
  readonly kind: CompressedKind
  readonly level: number
  readonly memory: SharedArrayBuffer
  readonly runBytes: number
}

export interface EncodeOrder {
  readonly slot: number
  readonly lengthBytes: number
}

export type EncodeAnswer = { readonly slot: number } & (
  | { /** Null when the run doesn't shrink. */ readonly storedBytes: number | null }
  | { readonly error: SerializedError }
)
