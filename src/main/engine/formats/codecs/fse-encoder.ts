/** The writing half of finite state entropy, the entropy coder inside LZFSE; the reading half is `fse-table.ts`. */

/** Bits from the lowest of the first byte on. */
export class BitWriter {
  #into: Uint8Array = new Uint8Array(0)
  #pending = 0
  #count = 0
  /** Bytes written into `into`. */
  to = 0
  /** True when there was no room: what was written is worth nothing. */
  isFull = false

  /** Write into `into` from `to` on. */
  begin(into: Uint8Array, to: number): void {
    this.#into = into
    this.#pending = 0
    this.#count = 0
    this.to = to
    this.isFull = false
  }

  /** `value` has at most `count` bits, and `count` is at most 24. */
  push(value: number, count: number): void {
    this.#pending |= value << this.#count
    this.#count += count
    while (this.#count >= 8) {
      if (this.to >= this.#into.length) this.isFull = true
      else this.#into[this.to++] = this.#pending & 0xff
      this.#pending >>>= 8
      this.#count -= 8
    }
  }

  /** Completes the last byte with zeros. Returns minus the number of bits it was short of. */
  finish(): number {
    const missing = this.#count === 0 ? 0 : 8 - this.#count
    this.push(0, missing)
    return missing === 0 ? 0 : -missing
  }
}

/** Codes symbols by `states` states, a power of two. Symbols go in last to first: a decoder meets them the other way. */
export class FseEncoder {
  readonly frequencies: Uint16Array
  readonly #states: number
  readonly #starts: Int32Array

  constructor(states: number, symbols: number) {
    this.#states = states
    this.frequencies = new Uint16Array(symbols)
    this.#starts = new Int32Array(symbols)
  }

  /** Scale how often each symbol occurs to frequencies that add up to the number of states. */
  fit(counts: Uint32Array): void {
    const { frequencies } = this
    let total = 0
    for (const count of counts) total += count
    let sum = 0
    for (let symbol = 0; symbol < counts.length; symbol++) {
      const count = counts[symbol] ?? 0
      const scaled = count === 0 ? 0 : Math.max(1, Math.floor((count * this.#states) / total))
      frequencies[symbol] = scaled
      sum += scaled
    }
    // What rounding left over or took too much goes to those that notice it least. All zeros: anything is right.
    while (sum !== this.#states) {
      let most = 0
      for (let symbol = 1; symbol < counts.length; symbol++)
        if ((frequencies[symbol] ?? 0) > (frequencies[most] ?? 0)) most = symbol
      const rest = this.#states - sum
      const step = rest > 0 ? rest : Math.max(rest, -Math.max(1, (frequencies[most] ?? 0) >> 2))
      frequencies[most] = (frequencies[most] ?? 0) + step
      sum += step
    }
    let start = 0
    for (let symbol = 0; symbol < counts.length; symbol++) {
      this.#starts[symbol] = start
      start += frequencies[symbol] ?? 0
    }
  }

  /** Write what leads a decoder from the state of `symbol` to `state`; returns the former. */
  push(state: number, symbol: number, writer: BitWriter): number {
    const frequency = this.frequencies[symbol] as number
    const next = state + this.#states
    const most = Math.clz32(frequency) - Math.clz32(this.#states)
    const bits = next >= frequency << most ? most : most - 1
    writer.push(next & ((1 << bits) - 1), bits)
    const wide = ((2 * this.#states) >> most) - frequency
    const index = bits === most ? (next >> bits) - frequency : (state >> bits) + wide
    return (this.#starts[symbol] as number) + index
  }
}
