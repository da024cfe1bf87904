/** Simulated time: things happen in the order of their moments, and of their making where moments are equal. */

interface Entry {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

const isBefore = (a: Entry, b: Entry) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

export class EventQueue {
  #heap: Entry[] = []
  #order = 0
  #nowMs = 0

  get nowMs(): number {
    return this.#nowMs
  }

  /** Do it at that moment, or now if that has passed. */
  at(atMs: number, run: () => void): void {
    const heap = this.#heap
    const entry = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, run }
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(entry, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = entry
  }

  /** Let time pass until nothing is left to do, or `isOver`, or that moment. */
  run({ isOver, untilMs }: { readonly isOver: () => boolean; readonly untilMs: number }): void {
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.atMs > untilMs || isOver()) return
      this.#pop()
      this.#nowMs = next.atMs
      next.run()
    }
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = index * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (!isBefore(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }
}
