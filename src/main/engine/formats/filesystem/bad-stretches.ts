/**
 * What a file system calls bad. It holds nothing, and trying to read it would end the whole undertaking. Kept apart from what
 * is in use, for that is widened: to whole units, and over gaps when there are too many.
 */
import { UsedRanges } from './used-ranges.ts'

/** Nobody uses a disk with more. What comes behind isn't kept, and may be read. */
const defaultMost = 65_536

/** Ascending stretches that neither overlap nor touch. Bytes. They are never widened. */
export class BadStretches {
  readonly #most: number
  readonly #list: [from: number, to: number][] = []

  constructor({ most = defaultMost } = {}) {
    this.#most = most
  }

  get count(): number {
    return this.#list.length
  }

  get isFull(): boolean {
    return this.#list.length >= this.#most
  }

  /** `from` must not be before the start of what was added last. */
  add(from: number, to: number): void {
    if (to <= from) return
    const last = this.#list.at(-1)
    if (last !== undefined && from < last[0])
      throw new RangeError('bad stretches must be added in ascending order')
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else if (!this.isFull) this.#list.push([from, to])
  }

  /** Whether any byte from `from` to `to` is bad. */
  overlaps(from: number, to: number): boolean {
    // How many stretches begin before `to`.
    let low = 0
    for (let high = this.#list.length; low < high;) {
      const middle = Math.floor((low + high) / 2)
      if ((this.#list[middle]?.[0] ?? 0) < to) low = middle + 1
      else high = middle
    }
    return from < to && from < (this.#list[low - 1]?.[1] ?? from)
  }

  *[Symbol.iterator](): Generator<readonly [from: number, to: number]> {
    for (const [from, to] of this.#list) yield [from, to]
  }
}

/** `ranges` without what is bad; nothing is joined that wasn't. */
export function withoutBad(ranges: UsedRanges, bad: BadStretches): UsedRanges {
  // Each of them cuts one stretch in two at most.
  const rest = new UsedRanges({ most: ranges.count + bad.count })
  const holes = bad[Symbol.iterator]()
  let hole = holes.next()
  for (const [from, to] of ranges) {
    let at = from
    while (hole.done !== true) {
      const [badFrom, badTo] = hole.value
      if (badFrom >= to) break
      rest.add(at, badFrom)
      at = Math.max(at, badTo)
      // It may reach into the next one.
      if (badTo > to) break
      hole = holes.next()
    }
    rest.add(at, to)
  }
  return rest
}
