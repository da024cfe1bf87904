/**
 * Up to which serial everything has either come or is lost: the newest one that was known of a little while ago. Symbols
 * that overtook each other by less are still counted as under way.
 */
export const settleMs = 40

export interface SettledSerial {
  /** This serial is the newest known of, now. */
  seen(serial: number, nowMs: number): void
  /** What was the newest at least `settleMs` ago, and not much longer. */
  at(nowMs: number): number
}

/** `serial`: what had been sent when the client joined, all of which is lost to it. */
export function createSettledSerial(serial: number): SettledSerial {
  let settled = serial
  let [mark, markMs] = [serial, -Infinity]
  let [newest, newestMs] = [serial, -Infinity]

  const settle = (nowMs: number) => {
    if (nowMs - newestMs >= settleMs) settled = newest
    else if (nowMs - markMs >= settleMs) settled = mark
  }

  return {
    seen(serial, nowMs) {
      settle(nowMs)
      newest = serial
      newestMs = nowMs
      if (nowMs - markMs < settleMs) return
      mark = serial
      markMs = nowMs
    },
    at(nowMs) {
      settle(nowMs)
      return settled
    },
  }
}
