/** What may pass is met with another try. */
import { AppError } from '#shared/errors'
import type { WebSession } from './web-session.ts'

/** Another failure, after bytes came: the count of tries begins anew. */
export class GotOn extends Error {
  constructor(cause: unknown) {
    super('', { cause })
  }
}

export const isTransient = (error: unknown) => error instanceof AppError && error.transient

/** `work` again after what may pass. `most`: how often; null for as often as the session has pauses. */
export async function tryAgain<T>(
  session: WebSession,
  signal: AbortSignal | undefined,
  most: number | null,
  work: () => Promise<T>,
): Promise<T> {
  const pauses = session.pausesMs.slice(0, most ?? session.pausesMs.length)
  for (let failures = 0; ;) {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      const gotOn = error instanceof GotOn
      const reason = gotOn ? error.cause : error
      if (gotOn) failures = 0
      const pauseMs = pauses[failures]
      if (!isTransient(reason) || pauseMs === undefined) throw reason
      failures += 1
      session.log?.info('trying again', { reason: (reason as Error).message, pauseMs })
      await session.sleep(pauseMs, signal)
    }
  }
}
