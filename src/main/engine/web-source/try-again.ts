/** What may pass is met with another try. */
import type { WebClient } from './web-client.ts'

/** `work` again, as long as `pauseAfter` what it threw says how many ms to wait before; null: that was it. */
export async function tryAgain<T>(
  client: WebClient,
  signal: AbortSignal | undefined,
  pauseAfter: (error: unknown) => number | null,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      const pauseMs = pauseAfter(error)
      if (pauseMs === null) throw error
      client.log?.info('trying again', { reason: (error as Error).message, pauseMs })
      await client.sleep(pauseMs, signal)
    }
  }
}
