/** Time, as the store needs it; tests pass their own. Milliseconds. */
export interface Clock {
  readonly now: () => number
  /** Returns the function that calls it off. */
  readonly after: (delayMs: number, run: () => void) => () => void
}

export const realClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}
