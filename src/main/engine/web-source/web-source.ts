/** What a file on a web server is to those who read it. */
import type { BlockSource } from '#engine/block-io'
import type { WebClient } from './web-client.ts'

/** Called with bytes that are the caller's only until it returns; `offset` is where they lie in the file. */
export type TakeBytes = (bytes: Uint8Array, offset: number) => void

export interface WebSource extends BlockSource {
  /** The address as it was given, without name and password. */
  readonly path: string
  /** Where redirects led, without what may be a key. */
  readonly finalUrl: string
  /** One line that is the same for the same state of the file: its size and what the server says of it. */
  readonly version: string
  /** In ms since 1970; null when the server doesn't say. */
  readonly modifiedMs: number | null
  /** A file that holds everything, where the server gives no parts; else null. Closed with the client. */
  readonly fd: number | null
  /** What keeps reading waiting, for some seconds already: the server is away. Null: nothing. */
  readonly trouble: unknown
  /**
   * The bytes from `from` to `to` (exclusive) in order, each once, over one connection after the other. Throws what
   * `read` throws, and what `take` does.
   */
  stream(from: number, to: number, take: TakeBytes, options?: StreamOptions): Promise<void>
}

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined
  /**
   * Where the bytes from `offset` on belong, at least one of them. What `take` gets may lie there already; where a connection
   * breaks, some of it may be overwritten with what came then.
   */
  readonly room?: (offset: number) => Uint8Array
}

/** What every part of it knows of a source that is being opened. */
export interface Opening {
  readonly client: WebClient
  readonly url: URL
  readonly path: string
  /** See `OpenWebOptions`. */
  readonly again: boolean
  readonly stamp: string | null
  readonly look: boolean
}

/** How the body of its first answer is taken. */
export interface Taking {
  readonly signal: AbortSignal | undefined
  /** Called for each piece that comes. */
  readonly came: () => void
}
