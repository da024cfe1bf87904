/** What the server knows of each client, from its reports: how much it loses, how far it is, how it stands. */
import type { Message } from '#engine/multicast/wire'

/** A slow client loses far more than the others do: it is served when they need nothing. */
export type Standing = 'well' | 'slow'

export interface ClientState {
  readonly id: string
  /** Since when what it loses counts: since it joined, or was heard again after an outage. */
  readonly sinceMs: number
  readonly lastReportMs: number
  /** The serial that its last report is as of; -1 before the first one. */
  readonly asOf: number
  /** Symbols that were sent to it since it joined, and those that came. */
  readonly expected: number
  readonly received: number
  /** Of its symbols lately, 0–1. */
  readonly loss: number
  readonly standing: Standing
  readonly blocksDone: number
  readonly backlogBytes: number
  readonly writeBytesPerSecond: number
  /** Datagrams that its own system threw away before it could read them, or that it had no room for. */
  readonly dropped: number
  readonly rejected: number
}

type Report = Message<'report'>

/** Symbols that a client must have been sent until its loss means something. */
const minimumSample = 256
/** How much of the loss is that of the last sample. */
const sampleWeight = 0.3
/** A client is slow from so much loss on, if it is so many times what the middle of the others has; and well again below. */
const slowLoss = 0.1
const slowTimesMedian = 3
const wellLoss = 0.05

/** A client that was silent for so long was cut off: what was sent meanwhile isn't loss in the network. */
const outageMs = 5000
const catchUpMs = 1000

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
interface Entry extends Mutable<ClientState> {
  /** At the end of the last sample; null before the first report, which may tell of an earlier visit. */
  sampled: { readonly expected: number; readonly received: number } | null
  isLossKnown: boolean
  /** After an outage: until then, reports may come that are older than it. */
  caughtUpMs: number
}

export interface ClientTable {
  join(id: string, nowMs: number): void
  leave(id: string): void
  /** `sentSerial`: of the last symbol sent. False when nobody of that name is here. */
  report(id: string, report: Report, nowMs: number, sentSerial: number): boolean
  /** Decide anew who is slow. Called once a second. */
  judge(): void
  get(id: string): ClientState | null
  all(): readonly ClientState[]
  readonly count: number
  /** Who didn't report for so long. */
  silentSince(beforeMs: number): readonly string[]
}

export function createClientTable(): ClientTable {
  const entries = new Map<string, Entry>()

  return {
    join(id, nowMs) {
      entries.set(id, {
        id,
        sinceMs: nowMs,
        lastReportMs: nowMs,
        asOf: -1,
        expected: 0,
        received: 0,
        loss: 0,
        standing: 'well',
        blocksDone: 0,
        backlogBytes: 0,
        writeBytesPerSecond: 0,
        dropped: 0,
        rejected: 0,
        sampled: null,
        isLossKnown: false,
        caughtUpMs: -Infinity,
      })
    },

    leave: (id) => void entries.delete(id),

    report(id, report, nowMs, sentSerial) {
      const entry = entries.get(id)
      if (entry === undefined) return false
      const { asOf, expected, received, blocksDone, backlogBytes, writeBytesPerSecond, dropped, rejected } =
        report
      Object.assign(entry, {
        asOf,
        expected,
        received,
        blocksDone,
        backlogBytes,
        writeBytesPerSecond,
        dropped,
        rejected,
      })
      if (nowMs - entry.lastReportMs >= outageMs) entry.caughtUpMs = nowMs + catchUpMs
      entry.lastReportMs = nowMs
      // It was told of symbols that were never sent, or knows by now that it was: what a forger makes it count is no loss either.
      const isMisled = asOf > sentSerial || expected < (entry.sampled?.expected ?? 0)
      if (nowMs < entry.caughtUpMs || isMisled) {
        entry.sinceMs = nowMs
        entry.sampled = null
      }
      entry.sampled ??= { expected, received }
      const sampleSize = expected - entry.sampled.expected
      if (sampleSize < minimumSample) return true
      const lost = Math.min(1, Math.max(0, 1 - (received - entry.sampled.received) / sampleSize))
      entry.loss = entry.isLossKnown ? entry.loss + (lost - entry.loss) * sampleWeight : lost
      entry.isLossKnown = true
      entry.sampled = { expected, received }
      return true
    },

    judge() {
      const losses = [...entries.values()].map(({ loss }) => loss).sort((a, b) => a - b)
      // The lower middle: of two clients, the better one.
      const median = losses[(losses.length - 1) >> 1] ?? 0
      for (const entry of entries.values())
        if (entry.standing === 'well' && entry.loss > slowLoss && entry.loss > median * slowTimesMedian)
          entry.standing = 'slow'
        else if (entry.loss < wellLoss || entry.loss <= median) entry.standing = 'well'
    },

    get: (id) => entries.get(id) ?? null,
    all: () => [...entries.values()],
    get count() {
      return entries.size
    },
    silentSince: (beforeMs) =>
      [...entries.values()].filter(({ lastReportMs }) => lastReportMs < beforeMs).map(({ id }) => id),
  }
}
