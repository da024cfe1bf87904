/** How fast a stream comes, and how much of it is lost, of late: from counters that only grow. */

export interface StreamMeter {
  /** Bytes came over the control connection. */
  fetched(bytes: number): void
  /** `received` and `expected` count symbols. */
  sample(
    nowMs: number,
    counters: { readonly received: number; readonly expected: number },
    symbolBytes: number,
  ): { readonly bytesPerSecond: number; readonly loss: number }
}

const windowMs = 2000

export function createStreamMeter(nowMs: number): StreamMeter {
  let fetchedBytes = 0
  let bytes = 0
  let last = { received: 0, expected: 0 }
  let samples = [{ atMs: nowMs, bytes: 0, received: 0, expected: 0 }]
  let [received, expected] = [0, 0]

  return {
    fetched(count) {
      fetchedBytes += count
    },
    sample(nowMs, counters, symbolBytes) {
      // A new receiver, after a server's restart, counts from 0.
      if (counters.expected < last.expected || counters.received < last.received)
        last = { received: 0, expected: 0 }
      received += counters.received - last.received
      expected += counters.expected - last.expected
      bytes += (counters.received - last.received) * symbolBytes + fetchedBytes
      last = { received: counters.received, expected: counters.expected }
      fetchedBytes = 0
      samples.push({ atMs: nowMs, bytes, received, expected })
      // One older than the window stays, so that it is always covered.
      const firstInside = samples.findIndex(({ atMs }) => atMs > nowMs - windowMs)
      samples = samples.slice(Math.max(0, firstInside - 1))
      const first = samples[0]
      if (first === undefined || first.atMs >= nowMs) return { bytesPerSecond: 0, loss: 0 }
      const sent = expected - first.expected
      return {
        bytesPerSecond: Math.round(((bytes - first.bytes) * 1000) / (nowMs - first.atMs)),
        loss: sent <= 0 ? 0 : Math.min(1, Math.max(0, 1 - (received - first.received) / sent)),
      }
    },
  }
}
