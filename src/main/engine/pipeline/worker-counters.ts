/** A worker's running totals, in shared memory. Only that worker writes them; anyone may read. */
import type { StreamCounters } from './block-stream.ts'

const names = ['readNs', 'decodeNs', 'waitNs', 'storedBytesRead'] as const

/** Numbers a worker needs in the totals. */
export const countersEach = names.length

export class WorkerCounters {
  readonly #totals: Float64Array<SharedArrayBuffer>

  constructor(totals: Float64Array<SharedArrayBuffer>) {
    this.#totals = totals
  }

  /** The time since `startMs` (of `performance.now()`) was spent so. */
  spent(what: 'readNs' | 'decodeNs' | 'waitNs', startMs: number): void {
    this.#add(what, (performance.now() - startMs) * 1e6)
  }

  read(bytes: number): void {
    this.#add('storedBytesRead', bytes)
  }

  #add(name: (typeof names)[number], amount: number): void {
    const index = names.indexOf(name)
    this.#totals[index] = (this.#totals[index] ?? 0) + amount
  }
}

/** The totals of all workers, which lie in a row. */
export function sumCounters(totals: Float64Array): StreamCounters {
  const sum = { readNs: 0, decodeNs: 0, waitNs: 0, storedBytesRead: 0 }
  totals.forEach((total, index) => {
    const name = names[index % names.length]
    if (name !== undefined) sum[name] += total
  })
  return sum
}
