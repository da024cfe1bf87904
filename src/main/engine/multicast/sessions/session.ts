/** One session as the hub keeps it: what it offers, who may have it, how it begins and ends, and its sender. */
import type { Sender } from '#engine/multicast/sender'
import type { Message } from '#engine/multicast/wire'
import type { AdmissionRule } from '#shared/model'
import type { StartRule } from './autostart.ts'

export interface Session {
  /** Everything a client must know of it. Its name is composed: see `composedName`. */
  readonly facts: Message<'session'>
  readonly sender: Sender
  /**
   * SHA-256 of blocks from `first` on, 32 bytes each, `most` of them at most; fewer, or none, where the source hasn't been read so far.
   * Known ones never change, and what is given isn't copied.
   */
  readonly hashesFrom: (first: number, most: number) => Uint8Array
  readonly blocks: number
  readonly startRule: StartRule
  /** In order; see `parseAdmissionRule`. */
  readonly admission: readonly AdmissionRule[]
  /** From the password and the hub's salt, or null: anyone may join who is admitted. */
  readonly passwordKey: Uint8Array | null
  /** Clients at once, at most. */
  readonly mostClients: number
  /** It ends when everyone who joined has finished. */
  readonly whenFinished: 'ends' | 'stays'
}

/** What is told of it to anyone who asks, and to its administrator. */
export interface SessionStatus {
  readonly name: string
  readonly imageName: string
  readonly sizeBytes: number
  readonly state: Sender['state']
  readonly joined: number
  readonly finished: number
  /** How many it waits for, or null. */
  readonly wanted: number | null
  /** Until it starts at the latest, or null when nothing is set that would. */
  readonly startsInMs: number | null
}
