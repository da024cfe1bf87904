/** What a hash lane and its thread tell each other. Plain data; the bytes lie in shared memory. */
import type { SerializedError } from '#shared/errors'

/**
 * In order: take bytes of the order's memory in; take so many zeros in; or end the digest, under a number of the caller's,
 * and begin the next.
 */
export type HashStep =
  | { readonly kind: 'bytes'; readonly at: number; readonly lengthBytes: number }
  | { readonly kind: 'zeros'; readonly lengthBytes: number }
  | { readonly kind: 'end'; readonly key: number }

export interface HashOrder {
  /** Null where no step takes bytes. */
  readonly memory: SharedArrayBuffer | null
  readonly steps: readonly HashStep[]
}

export interface Digest {
  readonly key: number
  /** SHA-256: 32 bytes. */
  readonly digest: Uint8Array
}

/** One for each order, in their order. */
export type HashAnswer = { readonly digests: readonly Digest[] } | { readonly error: SerializedError }
