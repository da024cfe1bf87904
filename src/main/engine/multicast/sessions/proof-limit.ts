/**
 * How often passwords may be tried. A connection costs next to nothing, so who guesses has to wait: first by his own address, longer
 * each time; then, when many addresses guess at once, by what all of them together may. Whoever hasn't been wrong lately
 * is always looked at, so a right password gets in whatever others do. Pure: addresses and times are told.
 */
export interface ProofLimit {
  /** Until a proof from there is looked at, in milliseconds; 0: now. Before that it isn't, so it tells nobody anything. */
  waitMs(address: string, nowMs: number): number
  /** A proof from there was looked at, and was wrong. Returns how long the next one has to wait for it; 0: not at all. */
  failed(address: string, nowMs: number): number
}

interface Entry {
  failures: number
  lastMs: number
  untilMs: number
}

/** Wrong proofs from an address that cost nothing: people mistype. */
const freeFailures = 3
const firstWaitMs = 1000
/** Somebody who never guessed may have to wait for it, so it is no longer than sixty guesses an hour need. */
const longestWaitMs = 60_000
/** So long after its last wrong proof an address is as good as any: longer than it can have to wait. */
const forgetMs = 15 * 60_000
/** For all addresses that have used up theirs: so many wrong proofs at once, then one each time this has passed. */
const shared = { most: 30, refillMs: 10_000 }
/** Addresses on record. From then on unknown ones share what those have that were wrong too often. */
const mostAddresses = 1024

export function createProofLimit(): ProofLimit {
  /** The one whose last wrong proof is longest ago first. */
  const entries = new Map<string, Entry>()
  let left: number = shared.most
  let filledMs = -Infinity

  const bringUpTo = (nowMs: number) => {
    left = Math.min(shared.most, left + Math.max(0, nowMs - filledMs) / shared.refillMs)
    filledMs = Math.max(filledMs, nowMs)
    for (const [address, { lastMs }] of entries) {
      if (lastMs + forgetMs > nowMs) break
      entries.delete(address)
    }
  }

  const isSuspect = (entry: Entry | undefined) =>
    entry === undefined ? entries.size >= mostAddresses : entry.failures >= freeFailures

  const waitOf = (address: string, nowMs: number) => {
    const entry = entries.get(address)
    if (!isSuspect(entry)) return 0
    const ownMs = (entry?.untilMs ?? nowMs) - nowMs
    const sharedMs = left >= 1 ? 0 : (1 - left) * shared.refillMs
    return Math.max(0, ownMs, sharedMs)
  }

  return {
    waitMs(address, nowMs) {
      bringUpTo(nowMs)
      return waitOf(address, nowMs)
    },

    failed(address, nowMs) {
      bringUpTo(nowMs)
      left = Math.max(0, left - 1)
      const known = entries.get(address)
      if (known !== undefined || entries.size < mostAddresses) {
        const failures = (known?.failures ?? 0) + 1
        const steps = failures - freeFailures
        const ownMs = steps < 0 ? 0 : Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(steps, 32))
        entries.delete(address)
        entries.set(address, { failures, lastMs: nowMs, untilMs: nowMs + ownMs })
      }
      return waitOf(address, nowMs)
    },
  }
}
