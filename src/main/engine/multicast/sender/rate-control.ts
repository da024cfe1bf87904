/**
 * How fast the stream may be just now, below the configured Data Rate. Two reasons to be slower, each with its own limit:
 *
 * - considerate: many clients lose at once. Then it tries less. If they lose less for it, the network was full, and the stream
 *   stays there and comes back slowly. If it doesn't help, the loss isn't the stream's doing, so the old rate returns
 *   and the next try is far off. (Streams at full rate have knocked out phones and name servers.)
 * - Client Data Rate: clients fall behind with writing. Then no faster than the slowest of them writes, but never slower than
 *   the configured value, which says how slow a client may be that counts.
 *
 * Called once a second; knows no clock of its own.
 */
import type { ClientState } from './client-table.ts'

export interface RateOptions {
  /** Bytes a second on the wire, the configured ceiling. */
  readonly dataRate: number
  readonly considerate: 'on' | 'off'
  /** Bytes a second, or null: writing never slows the stream. */
  readonly clientDataRate: number | null
}

export interface RateControl {
  /** Bytes a second. */
  readonly rate: number
  setDataRate(bytesPerSecond: number): void
  /** From now on; null: writing never slows the stream. */
  setClientDataRate(bytesPerSecond: number | null): void
  /** A second has passed; these clients count (slow ones don't). */
  tick(clients: readonly ClientState[]): void
}

const losing = 0.03
const manyShare = 0.5
const tryShare = 0.7
/**
 * Symbols that a client must have been sent until what it lost in that time says something: plenty in the first seconds, so
 * that a fast stream is judged soon, then fewer, and fewer still where many clients say the same.
 */
const sampleSymbols = { plenty: 2000, few: 512, ofMany: 64 }
const many = 8
const plentySeconds = 3
/** Trying less has helped when the loss is below that share of what it was, or when (nearly) as much arrives as before. */
const helpedShare = 0.6
const arrivesShare = 0.85
const returnShare = 0.02
const firstPatienceSeconds = 60
const longestPatienceSeconds = 960
const leastShare = 0.05
/** Seconds of its own writing that a client may lag behind. */
const lagSeconds = 1

export function createRateControl(options: RateOptions): RateControl {
  let { dataRate, clientDataRate } = options
  let considerateRate = dataRate
  let clientRate = Infinity
  /** Trying a lower rate: what it was before, and the loss it was tried for. */
  let attempt: { rate: number; loss: number } | null = null
  let patienceSeconds = 0
  let nextPatienceSeconds = firstPatienceSeconds
  let isManyLosing = false
  const losses = createLossSample()

  const judge = ({ mean, losingShare }: LossSample) => {
    isManyLosing = losingShare >= manyShare
    if (attempt !== null) {
      const arrives = ((1 - mean) * considerateRate) / ((1 - attempt.loss) * attempt.rate)
      if (mean < attempt.loss * helpedShare || arrives > arrivesShare)
        nextPatienceSeconds = firstPatienceSeconds
      else {
        considerateRate = attempt.rate
        patienceSeconds = nextPatienceSeconds
        nextPatienceSeconds = Math.min(longestPatienceSeconds, nextPatienceSeconds * 2)
      }
      attempt = null
    } else if (isManyLosing && patienceSeconds === 0) {
      attempt = { rate: considerateRate, loss: mean }
      considerateRate = Math.max(dataRate * leastShare, considerateRate * tryShare)
      // What is on its way still shows the old rate.
      losses.skip()
    }
  }

  const consider = (clients: readonly ClientState[]) => {
    patienceSeconds = Math.max(0, patienceSeconds - 1)
    const sample = losses.take(clients)
    if (sample !== null) judge(sample)
    const mayReturn = attempt === null && (!isManyLosing || patienceSeconds > 0)
    if (mayReturn) considerateRate = Math.min(dataRate, considerateRate + dataRate * returnShare)
  }

  const followWriters = (clients: readonly ClientState[], slowestThatCounts: number) => {
    const behind = clients.filter(
      ({ backlogBytes, writeBytesPerSecond }) =>
        writeBytesPerSecond > 0 && backlogBytes > writeBytesPerSecond * lagSeconds,
    )
    if (behind.length > 0)
      clientRate = Math.max(
        slowestThatCounts,
        Math.min(...behind.map((client) => client.writeBytesPerSecond)),
      )
    else clientRate = Math.min(dataRate, clientRate) * (1 + 5 * returnShare)
  }

  return {
    get rate() {
      return Math.min(dataRate, considerateRate, clientRate)
    },
    setDataRate(bytesPerSecond) {
      considerateRate =
        considerateRate >= dataRate ? bytesPerSecond : Math.min(considerateRate, bytesPerSecond)
      dataRate = bytesPerSecond
    },
    setClientDataRate(bytesPerSecond) {
      clientDataRate = bytesPerSecond
      clientRate = Infinity
    },
    tick(clients) {
      if (clients.length === 0) return
      if (options.considerate === 'on') consider(clients)
      if (clientDataRate !== null) followWriters(clients, clientDataRate)
    },
  }
}

interface LossSample {
  readonly mean: number
  /** Share of clients that lose noticeably. */
  readonly losingShare: number
}

/**
 * Loss of all clients over the same stretch of time, which ends when it is long enough to mean something. Who comes in the middle of
 * it, or comes back, counts from then on.
 */
function createLossSample() {
  let begin = new Map<string, Pick<ClientState, 'expected' | 'received' | 'sinceMs'>>()
  let skips = 0
  let seconds = 0
  const restart = (clients: readonly ClientState[]) => {
    seconds = 0
    begin = new Map(clients.map((client) => [client.id, countersOf(client)]))
  }
  return {
    /** Begin anew after the next second. */
    skip() {
      skips = 1
    },
    take(clients: readonly ClientState[]): LossSample | null {
      if (begin.size === 0 || skips > 0) {
        skips = Math.max(0, skips - 1)
        restart(clients)
        return null
      }
      seconds += 1
      const few = clients.length < many ? sampleSymbols.few : sampleSymbols.ofMany
      const least = seconds < plentySeconds ? sampleSymbols.plenty : few
      const losses = clients.flatMap((client) => {
        const { id, expected, received, sinceMs } = client
        const since = begin.get(id)
        if (since === undefined || since.sinceMs !== sinceMs) {
          begin.set(id, countersOf(client))
          return []
        }
        const sent = expected - since.expected
        if (sent < least) return []
        return [Math.min(1, Math.max(0, 1 - (received - since.received) / sent))]
      })
      if (losses.length * 2 < clients.length) return null
      restart(clients)
      return {
        mean: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
        losingShare: losses.filter((loss) => loss > losing).length / losses.length,
      }
    },
  }
}

/** As they are now: the client's own go on counting. */
const countersOf = ({ expected, received, sinceMs }: ClientState) => ({ expected, received, sinceMs })
