/** What the server and its thread tell each other. Plain data. */
import type { SerializedError } from '#shared/errors'
import type { NetworkInterface, SessionPhase, SessionSettings, SessionState } from '#shared/model'
import type { ManagementRight, SessionNames } from '#engine/multicast/sessions'

/** What the thread begins with. */
export interface ThreadData {
  /** TCP; everyone's. */
  readonly port: number
  /** PEM. */
  readonly key: string
  readonly certificate: string
  readonly fingerprint: Uint8Array
  readonly managementPassword: string | null
}

/** Where a stream's bytes are. */
export interface StreamBytes {
  /** A file's path or an address of the web. */
  readonly locator: string
  /** State of a file on a server; null of a file here. */
  readonly stamp: string | null
  /**
   * `web`: read by the process's own thread, which knows passwords and proxies; `device`: a block device, which is read like a
   * file.
   */
  readonly kind: 'file' | 'web' | 'device'
  readonly sizeBytes: number
}

/** A session whose source was read and hashed. */
export interface ServedSession {
  /** 32 hex digits. */
  readonly sessionId: string
  readonly settings: SessionSettings
  readonly imageName: string
  readonly imageFormat: string
  readonly bytes: StreamBytes
  readonly blockBytes: number
  readonly symbolBytes: number
  /** 32 bytes. */
  readonly root: Uint8Array
  /** SHA-256 of each block, one after another. */
  readonly hashes: Uint8Array
  readonly interface: NetworkInterface
}

export type StopWhen = 'now' | 'when-finished'

export type Order =
  /** `names`: as of `precedence`, with this one among them. */
  | { readonly kind: 'add'; readonly session: ServedSession; readonly names: readonly string[] }
  | { readonly kind: 'start-now'; readonly sessionId: string }
  | {
      readonly kind: 'rate'
      readonly sessionId: string
      readonly dataRate: number
      readonly clientDataRate: number | null
    }
  | { readonly kind: 'stop'; readonly sessionId: string; readonly when: StopWhen; readonly text: string }
  | { readonly kind: 'disconnect'; readonly sessionId: string; readonly clientId: string }
  /** Session names: what clients are asked about first. */
  | { readonly kind: 'precedence'; readonly names: readonly string[] }
  /** Sessions whose `add` is still to come. */
  | { readonly kind: 'pending'; readonly sessions: readonly SessionNames[] }
  | { readonly kind: 'answer'; readonly connection: string; readonly id: number; readonly json: Uint8Array }
  /** What was asked for by `read`. */
  | {
      readonly kind: 'bytes'
      readonly id: number
      readonly bytes: Uint8Array | null
      readonly error: SerializedError | null
    }
  /** Its sessions are over: leave the port to others. What is still to be said is said, until `close`. */
  | { readonly kind: 'retire' }
  /** End every session, and the thread. */
  | { readonly kind: 'close' }

export interface Call {
  readonly call: number
  readonly order: Order
}

/** What changes of a session while it runs; the rest is known outside. */
export interface LiveState extends Pick<
  SessionState,
  | 'sessionId'
  | 'address'
  | 'startedMs'
  | 'endedMs'
  | 'wanted'
  | 'startsInMs'
  | 'allowedBytesPerSecond'
  | 'sentBytesPerSecond'
  | 'sentBytes'
  | 'lap'
  | 'position'
  | 'repairSymbols'
  | 'clients'
  | 'error'
  | 'warnings'
> {
  readonly phase: Exclude<SessionPhase, 'preparing'>
  readonly dataRate: number
  readonly clientDataRate: number | null
}

export interface ReadNotice {
  readonly kind: 'read'
  readonly id: number
  readonly sessionId: string
  readonly offset: number
  readonly lengthBytes: number
}

export type Notice =
  | ReadNotice
  | { readonly kind: 'ready' }
  | { readonly kind: 'unable'; readonly error: SerializedError }
  | { readonly kind: 'done'; readonly call: number; readonly error: SerializedError | null }
  | { readonly kind: 'states'; readonly states: readonly LiveState[] }
  | {
      readonly kind: 'command'
      readonly connection: string
      readonly right: ManagementRight
      readonly id: number
      readonly json: Uint8Array
    }
  | {
      readonly kind: 'log'
      readonly level: 'debug' | 'info' | 'warn'
      readonly message: string
      readonly fields: { readonly [key: string]: unknown }
    }
