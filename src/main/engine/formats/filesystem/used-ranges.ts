/** Stretches of a volume that are in use, as readers of allocation bitmaps find them. */

/** Above this many stretches, what is between the closest ones counts as used. */
const defaultMost = 500_000

/**
 * Ascending stretches that neither overlap nor touch, nor are closer together than `gapBytes`. Bytes. Its memory is bounded:
 * what can't be kept apart any more is in use together with the gap between.
 */
export class UsedRanges {
  readonly #most: number
  #gapBytes: number
  #count = 0
  /** Start and end, in turn. */
  #edges = new Float64Array(64)

  constructor({ gapBytes = 0, most = defaultMost } = {}) {
    this.#gapBytes = gapBytes
    this.#most = most
  }

  get count(): number {
    return this.#count
  }

  /** `from` must not be before the start of what was added last. */
  add(from: number, to: number): void {
    if (to <= from) return
    const last = this.#count * 2 - 1
    const lastEnd = this.#edges[last] ?? 0
    if (this.#count > 0 && from < (this.#edges[last - 1] ?? 0))
      throw new RangeError('used ranges must be added in ascending order')
    if (this.#count > 0 && from <= lastEnd + this.#gapBytes) {
      if (to > lastEnd) this.#edges[last] = to
      return
    }
    if (this.#count === this.#most) {
      this.#widen()
      this.add(from, to)
      return
    }
    if (this.#count * 2 === this.#edges.length) {
      const more = new Float64Array(this.#edges.length * 2)
      more.set(this.#edges)
      this.#edges = more
    }
    this.#edges[this.#count * 2] = from
    this.#edges[this.#count * 2 + 1] = to
    this.#count += 1
  }

  *[Symbol.iterator](): Generator<readonly [from: number, to: number]> {
    for (let index = 0; index < this.#count; index++)
      yield [this.#edges[index * 2] ?? 0, this.#edges[index * 2 + 1] ?? 0]
  }

  /** Whether every byte from `from` to `to` is in use. */
  covers(from: number, to: number): boolean {
    // How many stretches begin at `from` or before it.
    let low = 0
    for (let high = this.#count; low < high;) {
      const middle = Math.floor((low + high) / 2)
      if ((this.#edges[middle * 2] ?? 0) <= from) low = middle + 1
      else high = middle
    }
    return to <= from || (low > 0 && to <= (this.#edges[low * 2 - 1] ?? 0))
  }

  /** All stretches together. */
  get usedBytes(): number {
    let sum = 0
    for (const [from, to] of this) sum += to - from
    return sum
  }

  /** Take along longer gaps until a quarter of the room is free. */
  #widen(): void {
    while (this.#count > this.#most * 0.75) {
      this.#gapBytes = Math.max(4096, this.#gapBytes * 2)
      const old = [...this]
      this.#count = 0
      for (const [from, to] of old) this.add(from, to)
    }
  }
}

export interface Bitmap {
  readonly bits: Uint8Array
  /** How many of them count. */
  readonly count: number
  /** Which bit of a byte comes first: the lowest, or as Apple has it the highest. */
  readonly first: 'lowest' | 'highest'
  /** Bytes of the volume that a bit stands for, and where those of bit 0 begin. */
  readonly unitBytes: number
  readonly offset: number
}

/** Add what a bitmap's ones stand for. Returns how many zeros there are. */
export function addBitmap(ranges: UsedRanges, bitmap: Bitmap): number {
  const { bits, count, first, unitBytes, offset } = bitmap
  let free = 0
  let start = -1
  const isUsed = (bit: number) => {
    const shift = first === 'lowest' ? bit & 7 : 7 - (bit & 7)
    return (((bits[bit >>> 3] ?? 0) >>> shift) & 1) === 1
  }
  const end = (bit: number) => {
    if (start !== -1) ranges.add(offset + start * unitBytes, offset + bit * unitBytes)
    start = -1
  }
  for (let bit = 0; bit < count;) {
    const byte = bits[bit >>> 3]
    if ((bit & 7) === 0 && bit + 8 <= count && (byte === 0 || byte === 0xff)) {
      if (byte === 0) {
        end(bit)
        free += 8
      } else if (start === -1) start = bit
      bit += 8
    } else {
      if (isUsed(bit)) {
        if (start === -1) start = bit
      } else {
        end(bit)
        free += 1
      }
      bit += 1
    }
  }
  end(count)
  return free
}
