/** Several writes under way at once, so that the destination never waits for us, and the first failure of any of them. */

export interface WriteQueue {
  /** Start `work` as soon as fewer than the limit are under way; resolves when it was started. Throws a failure. */
  start(work: () => Promise<void>): Promise<void>
  /** What `other` comes to, or the first failure of a write, whichever is first. One call at a time. */
  during<T>(other: Promise<T>): Promise<T>
  /** Resolves when nothing is under way; throws a failure. */
  idle(): Promise<void>
  /** Resolves when nothing is under way, failed or not: before buffers are given back. Never rejects. */
  settled(): Promise<void>
}

/** (No promise lives longer than a wait: a race against one that lasts a whole copy would remember every block of it.) */
export function createWriteQueue(limit: number): WriteQueue {
  const count = { underWay: 0 }
  let failure: { readonly error: unknown } | null = null
  let wake: () => void = () => undefined

  const oneSettled = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })
  const throwFailure = () => {
    if (failure !== null) throw failure.error
  }
  async function run(work: () => Promise<void>): Promise<void> {
    count.underWay += 1
    try {
      await work()
    } catch (error) {
      failure ??= { error }
    }
    count.underWay -= 1
    wake()
  }
  async function settled(): Promise<void> {
    while (count.underWay > 0) await oneSettled()
  }

  return {
    settled,
    async start(work) {
      throwFailure()
      while (count.underWay >= limit) {
        await oneSettled()
        throwFailure()
      }
      void run(work)
    },
    async during(other) {
      // When a write fails first, nobody waits for this one any more.
      other.catch(() => undefined)
      const settling = other.then(
        () => null,
        () => null,
      )
      for (;;) {
        throwFailure()
        const first = await Promise.race([settling, oneSettled()])
        if (first === null) break
      }
      return other
    },
    async idle() {
      await settled()
      throwFailure()
    },
  }
}
