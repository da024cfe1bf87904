/**
 * What clients lose over the same stretch of time. It ends when so much was sent to most of them that it means something: soon where the
 * stream is fast, as late as it must where it is slow. Who comes in the middle of it, or comes back, counts from then on.
 */
import type { ClientState } from './client-table.ts'

/** How things stand. */
export interface RateMoment {
  readonly nowMs: number
  /** Those that count: not slow ones, and not who has everything. */
  readonly clients: readonly ClientState[]
  /** Symbols sent so far. */
  readonly serial: number
  /** For how long there was something to send, so far. */
  readonly streamingMs: number
}

export interface LossSample {
  /** What most of the clients lose at least: one who loses among many who don't changes nothing. 0–1. */
  readonly loss: number
  /** Symbols a second that were really sent meanwhile; null: too little time to say. */
  readonly symbolsPerSecond: number | null
}

export interface LossSamples {
  /** Null: not enough was sent yet. Otherwise the next stretch begins. */
  take(moment: RateMoment): LossSample | null
  /** Begin anew with what is sent from now on: what is on its way doesn't count. */
  restart(moment: RateMoment): void
}

/**
 * Symbols that a client must have been sent until what it lost in that time says something: plenty at first, then fewer, and fewer still
 * where many clients say the same.
 */
const sampleSymbols = { plenty: 2000, few: 512, ofMany: 64 }
const many = 8
const plentyMs = 3000
const leastStreamingMs = 50

type Counters = Pick<ClientState, 'expected' | 'received' | 'sinceMs'>

export function createLossSamples(): LossSamples {
  let begin = new Map<string, Counters>()
  let start: RateMoment | null = null
  /** Only what was sent after this one counts. */
  let afterSerial = 0

  const beginWith = (moment: RateMoment) => {
    start = moment
    const told = moment.clients.filter(({ asOf }) => asOf >= afterSerial)
    begin = new Map(told.map((client) => [client.id, countersOf(client)]))
  }

  return {
    take(moment) {
      if (start === null) {
        beginWith(moment)
        return null
      }
      const { clients, nowMs } = moment
      const few = clients.length < many ? sampleSymbols.few : sampleSymbols.ofMany
      const least = nowMs - start.nowMs < plentyMs ? sampleSymbols.plenty : few
      const losses = clients.flatMap((client) => {
        const { id, expected, received, sinceMs, asOf } = client
        const since = begin.get(id)
        if (since === undefined || since.sinceMs !== sinceMs) {
          if (asOf >= afterSerial) begin.set(id, countersOf(client))
          return []
        }
        const sent = expected - since.expected
        if (sent < least) return []
        return [Math.min(1, Math.max(0, 1 - (received - since.received) / sent))]
      })
      if (losses.length * 2 <= clients.length) return null
      const streamingMs = moment.streamingMs - start.streamingMs
      const symbols = moment.serial - start.serial
      beginWith(moment)
      return {
        loss: mostLose(losses),
        symbolsPerSecond: streamingMs < leastStreamingMs ? null : (symbols * 1000) / streamingMs,
      }
    },
    restart(moment) {
      afterSerial = moment.serial
      beginWith(moment)
    },
  }
}

/** Of the better half, the worse half: as steady as a mean, and no outlier is in it. */
function mostLose(losses: readonly number[]): number {
  const middle = losses.toSorted((a, b) => a - b).slice(losses.length >> 2, ((losses.length - 1) >> 1) + 1)
  return middle.reduce((sum, loss) => sum + loss, 0) / middle.length
}

/** As they are now: the client's own go on counting. */
const countersOf = ({ expected, received, sinceMs }: ClientState): Counters => ({
  expected,
  received,
  sinceMs,
})
