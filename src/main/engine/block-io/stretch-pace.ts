/**
 * How much of a stretch is given to a device at once. It follows how long that takes: nothing else of it is stopped or looked at before
 * the device is through with that, and asking for very little, very often, costs more than it is worth.
 */

export interface StretchPaceOptions {
  readonly firstBytes: number
  readonly leastBytes: number
  /** Less than this, and the next one is twice as long. */
  readonly quickMs: number
  /** More than this, and the next one is half as long. */
  readonly slowMs: number
  /** Milliseconds. */
  readonly now?: () => number
}

const longestStretchBytes = 16 * 1024 ** 3

export class StretchPace {
  readonly #options: StretchPaceOptions
  #bytes: number

  constructor(options: StretchPaceOptions) {
    this.#options = options
    this.#bytes = options.firstBytes
  }

  /** Of the next one. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * `call` gives the device `lengthBytes`, which may be less than the pace: the end of a stretch. What failed says nothing of its speed.
   * Of several that are under way together each knows only the pace it began with.
   */
  async time(lengthBytes: number, call: () => Promise<void>): Promise<void> {
    const { leastBytes, quickMs, slowMs, now = () => performance.now() } = this.#options
    const paceBytes = this.#bytes
    const startMs = now()
    await call()
    const tookMs = now() - startMs
    if (tookMs > slowMs) this.#bytes = Math.min(this.#bytes, Math.max(leastBytes, paceBytes / 2))
    // A short one would have been quick on any device.
    else if (tookMs < quickMs && lengthBytes * 2 >= paceBytes && this.#bytes === paceBytes)
      this.#bytes = Math.min(longestStretchBytes, paceBytes * 2)
  }
}
