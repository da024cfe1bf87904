/** Which stretches of a file were written: what lies between them is holes. A copy writes in order, so it stays short. */
export class WrittenExtents {
  /** Ascending, apart from one another. */
  #extents: { from: number; to: number }[] = []

  add(from: number, to: number): void {
    if (to <= from) return
    const last = this.#extents.at(-1)
    if (last === undefined || from > last.to) {
      this.#extents.push({ from, to })
      return
    }
    if (from >= last.from) {
      last.to = Math.max(last.to, to)
      return
    }
    const apart = this.#extents.filter((extent) => extent.to < from || extent.from > to)
    const joined = this.#extents.filter((extent) => extent.to >= from && extent.from <= to)
    apart.push({
      from: Math.min(from, ...joined.map((extent) => extent.from)),
      to: Math.max(to, ...joined.map((extent) => extent.to)),
    })
    this.#extents = apart.sort((a, b) => a.from - b.from)
  }

  /** Nothing at `offset` or after it is there any more. */
  cut(offset: number): void {
    this.#extents = this.#extents
      .filter(({ from }) => from < offset)
      .map(({ from, to }) => ({ from, to: Math.min(to, offset) }))
  }

  touches(from: number, to: number): boolean {
    // The first one that ends after `from`.
    let low = 0
    let high = this.#extents.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#extents[middle]?.to ?? 0) > from) high = middle
      else low = middle + 1
    }
    const extent = this.#extents[low]
    return extent !== undefined && from < to && extent.from < to
  }
}
