/**
 * Finds earlier copies of what comes next, for the encoders that say "copy n bytes from d back" (ADC, LZFSE, LZMA). Places
 * with the same hash of four bytes form a chain, newest first; a search follows it a bounded number of steps, so that
 * no input makes it slow. One finder serves one run after another: its tables are scratch of the thread.
 */

export interface FinderOptions {
  /** The farthest copy. */
  readonly maxDistance: number
  /** Steps along a chain. */
  readonly depth: number
  /** A copy this long ends the search. */
  readonly niceBytes: number
}

const hashBits = 16

export class MatchFinder {
  /** How far back the copy is that `find` found. */
  distance = 0
  /** The run, and zeros behind it so that four bytes can be read at its last. */
  bytes = new Uint8Array(0)
  #view = new DataView(new ArrayBuffer(8))
  readonly #heads = new Int32Array(1 << hashBits)
  #earlier = new Int32Array(0)
  #options: FinderOptions = { maxDistance: 0, depth: 0, niceBytes: 0 }

  /** Begin a run of `run.length` bytes, which are copied. */
  begin(run: Uint8Array, options: FinderOptions): void {
    if (this.bytes.length < run.length + 8) {
      this.bytes = new Uint8Array(run.length + 8)
      this.#view = new DataView(this.bytes.buffer)
      this.#earlier = new Int32Array(run.length + 8)
    }
    this.bytes.set(run)
    this.bytes.fill(0, run.length, run.length + 8)
    this.#heads.fill(-1)
    this.#options = options
  }

  /** Remember the place `at`. Each place once, ascending. */
  insert(at: number): void {
    const slot = Math.imul(this.#view.getInt32(at, true), 0x9e3779b1) >>> (32 - hashBits)
    this.#earlier[at] = this.#heads[slot] as number
    this.#heads[slot] = at
  }

  /**
   * The longest copy of at least four bytes that begins at `at`, at most `limit` long; `distance` says from where.
   * 0 when there is none. Remembers the place.
   */
  find(at: number, limit: number): number {
    const bytes = this.bytes
    const { maxDistance, depth, niceBytes } = this.#options
    this.insert(at)
    if (limit < 4) return 0
    let best = 3
    const floor = Math.max(0, at - maxDistance)
    let candidate = this.#earlier[at] as number
    for (let steps = depth; candidate >= floor && steps > 0; steps--) {
      if (bytes[candidate + best] === bytes[at + best] && bytes[candidate] === bytes[at]) {
        let length = 0
        while (length < limit && bytes[candidate + length] === bytes[at + length]) length++
        if (length > best) {
          best = length
          this.distance = at - candidate
          if (length >= niceBytes || length === limit) break
        }
      }
      candidate = this.#earlier[candidate] as number
    }
    return best === 3 ? 0 : best
  }
}
