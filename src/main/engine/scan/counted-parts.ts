/** Which parts of a disk count in its image's checksums: all but what the image marks as ignored. */
import { kindIndex, type ExtentTable } from '#engine/formats/extents'

/** Asked in ascending order, without going back. */
export class CountedParts {
  readonly #extents: ExtentTable
  #row = 0

  constructor(extents: ExtentTable) {
    this.#extents = extents
  }

  /** Parts from `from` to `to` that count, neighbours as one. To be walked to the end. */
  *between(from: number, to: number): Generator<readonly [number, number]> {
    const { diskOffset, diskBytes, kind, count } = this.#extents
    const rowEnd = (row: number) => (diskOffset[row] ?? 0) + (diskBytes[row] ?? 0)
    while (this.#row < count && rowEnd(this.#row) <= from) this.#row++
    let start = from
    let at = from
    for (; at < to && this.#row < count; this.#row++) {
      const end = Math.min(to, rowEnd(this.#row))
      if (kind[this.#row] === kindIndex.ignore) {
        if (at > start) yield [start, at]
        start = end
      }
      at = end
      // This row goes on after `to`: the next call begins with it.
      if (rowEnd(this.#row) > to) break
    }
    if (at > start) yield [start, at]
  }
}
