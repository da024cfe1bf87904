/** What is asked of a decoding thread, and what it answers. Memory is shared: nothing of the image is copied for it. */
import type { SerializedError } from '#shared/errors'

/** Where one piece lies in the room, and where it goes there. */
export interface DecodePiece {
  /** Index into `runKinds`. */
  readonly kind: number
  readonly storedFrom: number
  readonly storedBytes: number
  readonly outFrom: number
  readonly outBytes: number
}

export interface DecodeOrder {
  readonly stored: Uint8Array<SharedArrayBuffer>
  readonly out: Uint8Array<SharedArrayBuffer>
  readonly pieces: readonly DecodePiece[]
}

/** Null: all were decoded. */
export type DecodeAnswer = { readonly error: SerializedError; readonly piece: number } | null
