import { setTimeout as delay } from 'node:timers/promises'

/** Somebody wants the program to end, and nobody takes what it says. */
const patienceMs = 500
/** Who takes it drop by drop doesn't keep the program either. */
const mostMs = 10_000

/** Resolves when nothing of what is kept was taken for half a second, or after ten seconds. `keptBytes` is asked now and at each look. */
export async function untilStalled(
  keptBytes: () => number,
  wait: (ms: number) => Promise<unknown> = delay,
): Promise<void> {
  let before = keptBytes()
  for (let waitedMs = 0; waitedMs < mostMs; waitedMs += patienceMs) {
    await wait(patienceMs)
    const now = keptBytes()
    if (now >= before) return
    before = now
  }
}
