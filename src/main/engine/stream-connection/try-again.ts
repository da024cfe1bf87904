/** When a server that isn't there is tried again. */

const pausesMs = [250, 500, 1000, 2000, 4000] as const

/** From one attempt to the next, in ms. `tries`: how many were in vain before that one. */
export const retryMs = (tries: number): number => pausesMs[Math.min(tries, pausesMs.length - 1)] ?? 0

/** Resolves after `ms`, or at once when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}
