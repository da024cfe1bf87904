/**
 * When the next datagram may go. Three rules at once: a bucket that fills a little below the rate and holds some milliseconds
 * of it, so that what a late wake-up missed is made up for soon; a bucket that fills a quarter faster and holds little, so
 * that datagrams stay spread even then, and no switch has to take a burst; and the bytes of the last 10 ms, which are never
 * more than the rate allows for 10 ms. The last makes "never exceeds" true for every window, whatever the others do.
 * A datagram that is larger than 10 ms of the rate goes alone in its 10 ms.
 */
export interface Pacer {
  /** Milliseconds until so many bytes may be sent; 0 is now. `bytes` with the network's headers. */
  waitMs(bytes: number, nowMs: number): number
  /** They were sent, now. */
  sent(bytes: number, nowMs: number): void
  /** The last `count` that were said to be sent really went out only now. */
  late(nowMs: number, count: number): void
  /** Bytes a second from now on. */
  setRate(bytesPerSecond: number): void
}

/** A hair more than 10, so that rounding is never against us. */
const windowMs = 10.002
/** Of the rate: what the bucket fills with, and what may be in a window. The rest is for a clock and a wire that jitter. */
const fillShare = 0.987
const windowShare = 0.997
/** Of a window: what is made up for after a pause, how many times as fast as the rate, and what may go back to back. */
const arrearsShare = 0.3
const hurry = 1.25
const burstShare = 0.05
const leastWaitMs = 0.001

export function createPacer(bytesPerSecond: number): Pacer {
  let rate = bytesPerSecond / 1000
  /** Below zero: what was sent ahead. Of the rate, and of the hurry. */
  let tokens = 0
  let hurryTokens = 0
  let filledMs = -Infinity
  /** What was sent in the last 10 ms, oldest first, from `first` on. */
  let times: number[] = []
  let sizes: number[] = []
  let first = 0
  let windowBytes = 0

  const refill = (nowMs: number) => {
    const arrears = rate * 10 * arrearsShare
    const burst = rate * 10 * burstShare
    const isNew = filledMs === -Infinity
    const bytes = isNew ? 0 : Math.max(0, nowMs - filledMs) * rate
    tokens = isNew ? burst : Math.min(arrears, tokens + bytes * fillShare)
    hurryTokens = isNew ? burst : Math.min(burst, hurryTokens + bytes * hurry)
    filledMs = Math.max(filledMs, nowMs)
  }

  const forget = (nowMs: number) => {
    while (first < times.length && (times[first] as number) <= nowMs - windowMs) {
      windowBytes -= sizes[first] as number
      first += 1
    }
    if (first > 4096 && first < times.length) {
      times = times.slice(first)
      sizes = sizes.slice(first)
      first = 0
    }
  }

  /** Until enough has left the window. */
  const windowWaitMs = (bytes: number, nowMs: number) => {
    const room = rate * 10 * windowShare
    let left = windowBytes
    for (let index = first; index < times.length && left + bytes > room; index++) {
      left -= sizes[index] as number
      if (left + bytes <= room || left === 0) return (times[index] as number) + windowMs - nowMs
    }
    return 0
  }

  return {
    waitMs(bytes, nowMs) {
      refill(nowMs)
      forget(nowMs)
      const fullMs = windowWaitMs(bytes, nowMs)
      // What the window forbids isn't owed: made up for, it would fill the next one too early, and so on for ever.
      if (fullMs > 0) tokens = Math.min(tokens, 0)
      const waitMs = Math.max(-tokens / (rate * fillShare), -hurryTokens / (rate * hurry), fullMs)
      // A wait that is too short to move the clock would never end.
      return waitMs <= 0 ? 0 : Math.max(waitMs, leastWaitMs)
    },

    sent(bytes, nowMs) {
      refill(nowMs)
      tokens -= bytes
      hurryTokens -= bytes
      times.push(nowMs)
      sizes.push(bytes)
      windowBytes += bytes
    },

    late(nowMs, count) {
      const from = Math.max(0, times.length - count)
      // So late that they were forgotten.
      for (; first > from; first--) windowBytes += sizes[first - 1] as number
      for (let index = from; index < times.length; index++)
        times[index] = Math.max(times[index] as number, nowMs)
    },

    setRate(bytesPerSecond) {
      rate = bytesPerSecond / 1000
    },
  }
}
