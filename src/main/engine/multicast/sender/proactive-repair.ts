/**
 * How many repair symbols to send along with a whole section, unasked. As many as most sections turn out to need: learned
 * from what clients reported for the sections before, so it follows the loss that is really there, and the number of
 * clients. Nothing is added where nothing is lost.
 */
export interface ProactiveRepair {
  /** A section's source symbols go out. */
  sourcesSent(section: number, nowMs: number): void
  /** So many repair symbols of the section were sent. */
  repairsSent(section: number, count: number): void
  /** For the next section. */
  plan(nowMs: number): number
}

/** Sections that the answer is taken from; the share of them that may have needed less than what is sent unasked. */
const remembered = 48
const wastefulShare = 0.35
const most = 40

/** `settledMs`: after so long nobody reports a section any more. */
export function createProactiveRepair(settledMs: number): ProactiveRepair {
  const open = new Map<number, { atMs: number; repairs: number }>()
  const seen: number[] = []
  let planned = 0

  const settle = (nowMs: number) => {
    let isNew = false
    for (const [section, { atMs, repairs }] of open) {
      if (atMs + settledMs > nowMs) break
      open.delete(section)
      seen.push(repairs)
      if (seen.length > remembered) seen.shift()
      isNew = true
    }
    if (!isNew) return
    const sorted = seen.toSorted((a, b) => a - b)
    planned = Math.min(most, sorted[Math.floor(sorted.length * wastefulShare)] ?? 0)
  }

  return {
    sourcesSent(section, nowMs) {
      open.delete(section)
      open.set(section, { atMs: nowMs, repairs: 0 })
    },
    repairsSent(section, count) {
      const entry = open.get(section)
      if (entry !== undefined) entry.repairs += count
    },
    plan(nowMs) {
      settle(nowMs)
      return planned
    },
  }
}
