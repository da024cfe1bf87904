/** What a stream's user and its receiving thread tell each other. */
import type { Message } from '#engine/multicast/wire'
import type { SerializedError } from '#shared/errors'
import type { LogLevel, LogLine } from '#shared/log'
import type { StreamLocator, StreamProgress } from '#shared/model'

/** What the thread is started with. */
export interface ReceptionData {
  /** With the session's name and the server's fingerprint. */
  readonly locator: StreamLocator
  readonly password: string | null
  readonly clientId: Uint8Array
  /** What was looked at: it must be the same stream. */
  readonly facts: Message<'session'>
  /** Name or address; null: the one that leads to the server. */
  readonly interface: string | null
  readonly have: Uint8Array | null
  readonly holdBytes: number
  readonly timeoutMs: number
}

export type ToReception =
  /** The block is where it belongs. */
  | { readonly kind: 'written'; readonly block: number }
  /** It couldn't be kept: let it come again. */
  | { readonly kind: 'again'; readonly block: number }
  | { readonly kind: 'verifying' }
  /** Receive no more; the server isn't told yet. */
  | { readonly kind: 'halt' }
  | {
      readonly kind: 'finish'
      readonly outcome: Message<'finished'>['outcome']
      readonly text: string
    }

export type FromReception =
  | { readonly kind: 'block'; readonly block: number; readonly bytes: Uint8Array }
  | { readonly kind: 'progress'; readonly progress: StreamProgress }
  | { readonly kind: 'warning'; readonly warning: SerializedError }
  | {
      readonly kind: 'log'
      readonly level: LogLevel
      readonly message: string
      readonly fields: LogLine['fields']
    }
  /** Every block is written. */
  | { readonly kind: 'complete' }
  | { readonly kind: 'failed'; readonly error: SerializedError }
