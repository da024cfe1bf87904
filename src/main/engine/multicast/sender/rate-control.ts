/**
 * How fast the stream may be just now, below the configured Data Rate. Two reasons to be slower, each with its own limit:
 *
 * - considerate: most clients lose at once, and lose less when less is sent; see `considerate.ts`.
 * - Client Data Rate: clients fall behind with writing. Then no faster than the slowest of them writes, but never slower than
 *   the configured value, which says how slow a client may be that counts.
 *
 * Called several times a second; knows no clock of its own.
 */
import type { ClientState } from './client-table.ts'
import { createConsiderateRate } from './considerate.ts'
import type { RateMoment } from './loss-sample.ts'

export interface RateOptions {
  /** Bytes a second on the wire, the configured ceiling. */
  readonly dataRate: number
  /** One datagram with everything the network adds. */
  readonly datagramBytes: number
  readonly considerate: 'on' | 'off'
  /** Bytes a second, or null: writing never slows the stream. */
  readonly clientDataRate: number | null
}

export interface RateControl {
  /** Bytes a second. */
  readonly rate: number
  /** What the share is of: the Data Rate, or as much of it as is considerate. */
  readonly sharedRate: number
  setDataRate(bytesPerSecond: number): void
  /** So much of the Data Rate, and of what is considerate, is the stream's: 0–1. The rest goes out in other ways. */
  setShare(share: number): void
  /** From now on; null: writing never slows the stream. */
  setClientDataRate(bytesPerSecond: number | null): void
  /** Decide anew. */
  tick(moment: RateMoment): void
}

/** Of the rate, a second: how it comes back when no client lags. */
const returnShare = 0.1
/** Seconds of its own writing that a client may lag behind. */
const lagSeconds = 1

export function createRateControl(options: RateOptions): RateControl {
  let { dataRate, clientDataRate } = options
  const considerate = createConsiderateRate(dataRate, options.datagramBytes)
  let share = 1
  let clientRate = Infinity
  let tickedMs: number | null = null

  const followWriters = (clients: readonly ClientState[], slowestThatCounts: number, seconds: number) => {
    const behind = clients.filter(
      ({ backlogBytes, writeBytesPerSecond }) =>
        writeBytesPerSecond > 0 && backlogBytes > writeBytesPerSecond * lagSeconds,
    )
    if (behind.length > 0)
      clientRate = Math.max(
        slowestThatCounts,
        Math.min(...behind.map((client) => client.writeBytesPerSecond)),
      )
    else clientRate = Math.min(dataRate, clientRate) * (1 + returnShare * seconds)
  }

  return {
    get rate() {
      return Math.min(share * this.sharedRate, clientRate)
    },
    get sharedRate() {
      return Math.min(dataRate, considerate.rate)
    },
    setDataRate(bytesPerSecond) {
      considerate.setDataRate(bytesPerSecond)
      dataRate = bytesPerSecond
    },
    setShare(next) {
      share = next
    },
    setClientDataRate(bytesPerSecond) {
      clientDataRate = bytesPerSecond
      clientRate = Infinity
    },
    tick(moment) {
      const { nowMs, clients } = moment
      const seconds = Math.min(1, (nowMs - (tickedMs ?? nowMs)) / 1000)
      tickedMs = nowMs
      if (clients.length === 0) return
      if (options.considerate === 'on') considerate.tick(moment)
      if (clientDataRate !== null) followWriters(clients, clientDataRate, seconds)
    },
  }
}
