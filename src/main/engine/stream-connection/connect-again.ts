/**
 * Connects for somebody who was let in before: the plan is made, a person has read what is to be erased, and meanwhile the server
 * may have restarted, or the last place been taken. As a client does that lost its connection, it tries again (docs/protocol.md, §7).
 */
import { NetworkError } from '#shared/errors'
import type { Logger } from '#shared/log'
import type { StreamProgress } from '#shared/model'
import type { StreamConnection } from './stream-connection.ts'
import { pause, retryMs } from './try-again.ts'

/** It may be there again in a while: a server that restarts, a place that becomes free. */
export const isPassing = (error: unknown): boolean =>
  error instanceof NetworkError && (error.transient || error.code === 'E_MC_NOSESSION')

export interface ConnectAgainOptions {
  /** Of the request: for so long at most; 0: for ever. */
  readonly timeoutMs: number
  readonly log: Logger
  readonly signal: AbortSignal
  /** Hears that it isn't there, and null when it is again. */
  readonly streamed: (progress: StreamProgress | null) => void
}

const away: StreamProgress = {
  state: 'connecting',
  waiting: null,
  passes: [],
  passStart: null,
  blocks: 0,
  missingBlocks: 0,
  receivedBytesPerSecond: 0,
  loss: 0,
  standing: 'well',
  silence: null,
}

/** Rejects with what `connect` rejects with when it won't pass, or the time is up; with the signal's reason. */
export async function connectAgain(
  connect: () => Promise<StreamConnection>,
  { timeoutMs, log, signal, streamed }: ConnectAgainOptions,
): Promise<StreamConnection> {
  const sinceMs = performance.now()
  for (let tries = 0; ; tries++)
    try {
      const connection = await connect()
      if (tries > 0) streamed(null)
      return connection
    } catch (error) {
      signal.throwIfAborted()
      const leftMs = timeoutMs > 0 ? timeoutMs - (performance.now() - sinceMs) : Infinity
      if (leftMs <= 0 || !isPassing(error)) throw error
      log[tries === 0 ? 'warn' : 'info']('no connection to the server; trying again', { why: String(error) })
      streamed(away)
      await pause(Math.min(retryMs(tries), leftMs), signal)
      signal.throwIfAborted()
    }
}
