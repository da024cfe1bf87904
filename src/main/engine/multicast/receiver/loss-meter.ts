/** How many symbols were sent since the first one seen, and how many of them came: from the serials, whatever their order. */

/** Serials that are remembered, to tell a repetition from a late one. */
const remembered = 2048

export interface LossMeter {
  readonly expected: number
  readonly received: number
  /** Came twice, or far too late to tell. */
  readonly repeated: number
  /** The highest serial known of. */
  readonly newest: number
  /** The highest serial of a symbol that came. What is behind `newest` may still lie in the system's buffer. */
  readonly newestCame: number
  /** A symbol came. False when it came before. */
  symbol(serial: number): boolean
  /** So many symbols were sent, it is said. */
  position(serial: number): void
  /** No more were sent: what said so was forged. */
  correct(serial: number): void
}

/** `joined`: the serial of the last symbol that was sent before; none up to it counts, or is taken. */
export function createLossMeter(joined: number): LossMeter {
  const seen = new Float64Array(remembered)
  let base: number | null = null
  let newest = 0
  let newestCame = 0
  let received = 0
  let repeated = 0

  return {
    get expected() {
      return base === null ? 0 : newest - base
    },
    get received() {
      return received
    },
    get repeated() {
      return repeated
    },
    get newest() {
      return newest
    },
    get newestCame() {
      return newestCame
    },
    symbol(serial) {
      const slot = serial % remembered
      const isOld = serial <= newestCame - remembered || serial <= (base ?? joined)
      if (isOld || seen[slot] === serial) {
        repeated += 1
        return false
      }
      base ??= serial - 1
      seen[slot] = serial
      received += 1
      newestCame = Math.max(newestCame, serial)
      newest = Math.max(newest, serial)
      return true
    },
    position(serial) {
      if (serial > newest) newest = serial
    },
    correct(serial) {
      newest = Math.min(newest, serial)
      newestCame = Math.min(newestCame, serial)
      if (base === null || base < serial) return
      // The first that came was the forged one.
      base = null
      received = 0
    },
  }
}
