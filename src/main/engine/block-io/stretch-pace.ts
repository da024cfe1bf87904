/**
 * How much of a stretch is given to a device at once. It follows how long that takes: a Cancel comes through in between, and not
 * before, and a card that was exchanged while the computer slept is noticed no sooner.
 */

const longestStretchBytes = 16 * 1024 ** 3
const quickMs = 100
const slowMs = 400

export class StretchPace {
  readonly #leastBytes: number
  #bytes: number

  constructor({ firstBytes, leastBytes }: { readonly firstBytes: number; readonly leastBytes: number }) {
    this.#bytes = firstBytes
    this.#leastBytes = leastBytes
  }

  /** Of the next one. */
  get bytes(): number {
    return this.#bytes
  }

  /** `call` gives the device one of them. What failed says nothing of its speed. */
  async time(call: () => Promise<void>): Promise<void> {
    const start = performance.now()
    await call()
    const tookMs = performance.now() - start
    if (tookMs < quickMs) this.#bytes = Math.min(longestStretchBytes, this.#bytes * 2)
    else if (tookMs > slowMs) this.#bytes = Math.max(this.#leastBytes, this.#bytes / 2)
  }
}
