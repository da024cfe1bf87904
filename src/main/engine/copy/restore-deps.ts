/** What planning and running a restore take from whoever calls them. */
import type { Platform } from '#engine/platform'
import type { RestoreIo } from './restore-io.ts'

export interface RestoreDeps {
  readonly platform: Platform
  /** How bytes are reached; see `createSystemIo`. */
  readonly io: RestoreIo
  /** Milliseconds, by a clock that never runs backwards. Default: the process's. */
  readonly now?: () => number
  /** The time of day, in milliseconds: beside `now` it shows that the computer slept. Default: the system's. */
  readonly wall?: () => number
  /**
   * No byte moved for this long while bytes should move: it is told, with the side that is waited for, and logged once.
   * Default one minute.
   */
  readonly stallMs?: number
  /** What then: go on waiting (the default: a slow card recovers more often than not), or fail with E_STALL. */
  readonly onStall?: 'wait' | 'fail'
  /** How often a disk that is received onto is told how far it is, at most. Default one second. */
  readonly journalMs?: number
}

export const defaultNow = () => performance.timeOrigin + performance.now()
