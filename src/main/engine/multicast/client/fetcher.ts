/** One block at a time over the control connection: those that came out wrong, and all while multicast doesn't arrive. Pure. */

export interface Fetcher {
  /** This block came out wrong too often by multicast. */
  want(block: number): void
  connected(): void
  disconnected(): void
  /** False: it wasn't asked for. */
  came(block: number): boolean
  /** What came isn't right: it is asked for again. */
  wrong(block: number): 'again' | 'too often'
  /** Ask for the next one, if none is under way. */
  turn(): void
}

const wrongBound = 3

export function createFetcher({
  ask,
  next,
}: {
  readonly ask: (block: number) => void
  /** The next block to fetch because multicast doesn't arrive, from this one on; null: none. */
  readonly next: (from: number) => number | null
}): Fetcher {
  const wanted = new Set<number>()
  const wrong = new Map<number, number>()
  let asked: number | null = null
  let isConnected = false
  let from = 0

  return {
    want: (block) => void wanted.add(block),
    connected() {
      isConnected = true
    },
    disconnected() {
      isConnected = false
      asked = null
    },
    came(block) {
      if (asked !== block) return false
      asked = null
      wanted.delete(block)
      from = block + 1
      return true
    },
    wrong(block) {
      const count = (wrong.get(block) ?? 0) + 1
      wrong.set(block, count)
      wanted.add(block)
      return count >= wrongBound ? 'too often' : 'again'
    },
    turn() {
      if (!isConnected || asked !== null) return
      const [first] = wanted
      asked = first ?? next(from)
      if (asked !== null) ask(asked)
    },
  }
}
