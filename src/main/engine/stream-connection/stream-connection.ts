/**
 * A multicast stream as whoever receives it has it: what it is, any block of it, and all of it in whatever order it comes. Between
 * the engine that restores and the one that knows sockets, so that neither knows the other: the multicast engine's client is one, and
 * a test hands in streams of its own.
 */
import type { SerializedError } from '#shared/errors'
import type { Logger } from '#shared/log'
import type { StreamInfo, StreamLocator, StreamProgress } from '#shared/model'

export interface ConnectStreamOptions {
  /** The session's; null: none is known. */
  readonly password: string | null
  /** 16 random bytes, the same as long as the client goes on with the same target: one that comes back is known by them. */
  readonly clientId: Uint8Array
  readonly log: Logger
  readonly signal: AbortSignal
  /** Name or address of the interface to receive on; null or absent: the one that leads to the server. */
  readonly interface?: string | null
}

/**
 * Looks at a session; the client doesn't count as joined, and the stream doesn't start for it. Throws NetworkError
 * (E_MC_PASSWORD when the session has a password and it isn't this one), the signal's reason.
 */
export type ConnectStream = (
  locator: StreamLocator,
  options: ConnectStreamOptions,
) => Promise<StreamConnection>

export interface StreamConnection extends AsyncDisposable {
  readonly info: StreamInfo
  /** Of the stream, which is the image's file, or a disk as it is. */
  readonly sizeBytes: number
  readonly blockBytes: number
  readonly blocks: number
  /** Over all hashes of its blocks, 32 bytes; zeros where it isn't known beforehand. */
  readonly root: Uint8Array
  /** SHA-256 of a block; null while the server hasn't told it. */
  hashOf(block: number): Uint8Array | null
  /**
   * One block over the control connection; its hash was compared. Connects again where that helps. Throws NetworkError (E_NET,
   * E_MC_…), the signal's reason.
   */
  fetchBlock(block: number, signal?: AbortSignal): Promise<Uint8Array>
  /** Join, and receive. Once. */
  receive(options: ReceiveOptions): StreamReception
}

export interface ReceiveOptions {
  /** A byte a block, 1: it is here already, by a journal. Null: none is. */
  readonly have: Uint8Array | null
  /** What the client may hold in memory: blocks in the making, and those handed out that aren't `written`. */
  readonly holdBytes: number
  /** Without payload for so long: it fails with E_MC_TIMEOUT. 0: never. */
  readonly timeoutMs: number
  /**
   * A block whose hash was right, in any order, each once. Its bytes are the caller's from now on. Called again before `written`,
   * within `holdBytes`.
   */
  readonly onBlock: (block: number, bytes: Uint8Array) => void
  readonly signal: AbortSignal
}

export interface StreamReception {
  /** The block is where it belongs, and isn't needed any more. */
  written(block: number): void
  /** The block couldn't be kept: it is to come again. */
  again(block: number): void
  progress(): StreamProgress
  /** What whoever looks should know: multicast that doesn't arrive, receive buffers that are too small. */
  warnings(): readonly SerializedError[]
  /** Every block is `written`. Rejects with NetworkError (E_NET, E_MC_…), the signal's reason. */
  readonly complete: Promise<void>
  /** What was written is being read back: for the server's table. */
  verifying(): void
  /** Tell the server how it ended, and hang up. Resolves when the client is gone; never rejects. */
  finish(outcome: 'done' | 'failed' | 'cancelled', text: string): Promise<void>
}
