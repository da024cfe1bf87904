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
  /** A symbol came. False when it came before. */
  symbol(serial: number): boolean
  /** So many symbols were sent, it is said. */
  position(serial: number): void
}

export function createLossMeter(): LossMeter {
  const seen = new Float64Array(remembered)
  let base: number | null = null
  let newest = 0
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
    symbol(serial) {
      base ??= serial - 1
      const slot = serial % remembered
      if (seen[slot] === serial || serial <= newest - remembered || serial <= base) {
        repeated += 1
        return false
      }
      seen[slot] = serial
      received += 1
      if (serial > newest) newest = serial
      return true
    },
    position(serial) {
      if (serial > newest) newest = serial
    },
  }
}
