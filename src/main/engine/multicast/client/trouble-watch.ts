/**
 * Looks after what can trouble a reception, and says it once: multicast that doesn't arrive, and datagrams that the system throws
 * away. A group that isn't heard is joined anew now and then, for a switch that has forgotten it.
 */
import type { Message } from '#engine/multicast/wire'
import { serializeError, type NetworkError, type SerializedError } from '#shared/errors'
import type { LogLevel, LogLine } from '#shared/log'
import type { Membership } from './membership.ts'
import { dropWarning, silenceCauses, silenceWarning } from './reception-troubles.ts'

export interface TroubleWatchOptions {
  readonly facts: Message<'session'>
  readonly log: (level: LogLevel, message: string, fields: LogLine['fields']) => void
  readonly warn: (warning: NetworkError) => void
}

const rejoinMs = 10_000

export class TroubleWatch {
  readonly #options: TroubleWatchOptions
  #silence: NetworkError | null = null
  #rejoinedMs = 0

  constructor(options: TroubleWatchOptions) {
    this.#options = options
  }

  /** What was warned of, while nothing comes. */
  get silence(): SerializedError | null {
    return this.#silence && serializeError(this.#silence)
  }

  /** Nothing comes, though the server is there. Called a few times a second for as long as it is so. */
  deaf(at: Membership, nowMs: number): void {
    if (this.#silence === null) this.#warnOfSilence(at)
    if (nowMs - this.#rejoinedMs < rejoinMs) return
    this.#rejoinedMs = nowMs
    at.group.rejoin()
  }

  /** It comes. */
  heard(): void {
    const { log, facts } = this.#options
    if (this.#silence !== null) log('info', 'multicast arrives again', { group: facts.group })
    this.#silence = null
  }

  /** Has the system thrown more away since the last time? `isCurrent`: whether it still receives, asked when that is known. */
  async lookAtDrops(at: Membership, isCurrent: () => boolean): Promise<void> {
    const { log, warn, facts } = this.#options
    const dropped = await at.group.readDropped()
    if (dropped === null || dropped <= at.dropped || !isCurrent()) return
    at.receiver.systemDropped(dropped - at.dropped)
    const { grantedBytes, advice } = at.group
    if (at.dropped === 0) log('warn', 'the system throws datagrams away', { dropped, grantedBytes, advice })
    warn(dropWarning(facts, at.group, dropped))
    at.dropped = dropped
  }

  #warnOfSilence({ interface: where }: Membership): void {
    const { log, warn, facts } = this.#options
    log('warn', 'multicast does not reach this computer; fetching over the control connection', {
      group: facts.group,
      port: facts.port,
      interface: where.name,
      likely: where.address === null ? 'no IPv4 address' : silenceCauses,
    })
    this.#silence = silenceWarning(facts, where)
    warn(this.#silence)
  }
}
