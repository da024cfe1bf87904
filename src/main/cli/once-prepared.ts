/** A server lets nobody in while it still reads what a session will stream: who comes early waits. */
import { setTimeout as delay } from 'node:timers/promises'
import { NetworkError, type SerializedError } from '#shared/errors'
import type { RestorePlan } from '#shared/model'
import { untilInterrupted, type Interrupt } from './interrupt.ts'
import type { CliContext } from './verb.ts'

interface Waiting extends Pick<CliContext, 'terminal' | 'now'> {
  readonly interrupt: Interrupt
  /** Say nothing about it. */
  readonly quiet: boolean
  /** Wait no longer than this without payload; 0: for ever. */
  readonly timeoutMs: number
  /** Default: 2 s. */
  readonly retryMs?: number
}

/** Plans again until the server lets clients in. Throws what `work` throws, also when the time is up; the signal's reason. */
export async function oncePrepared(work: () => Promise<RestorePlan>, waiting: Waiting): Promise<RestorePlan> {
  const { terminal, now, interrupt, quiet, timeoutMs, retryMs = 2000 } = waiting
  const sinceMs = now()
  for (let tries = 1; ; tries++) {
    const isLast = timeoutMs > 0 && now() - sinceMs >= timeoutMs
    try {
      const plan = await work()
      if (isLast || plan.refusal === null || !isPreparing(plan.refusal)) return plan
    } catch (error) {
      if (isLast || !(error instanceof NetworkError) || !isPreparing(error)) throw error
    }
    if (tries === 1 && !quiet)
      terminal.writeError('The server is still reading what the session will stream. Waiting for it.\n')
    await untilInterrupted(delay(retryMs), interrupt)
  }
}

const isPreparing = ({ code, details }: Pick<SerializedError, 'code' | 'details'>): boolean =>
  code === 'E_MC_REFUSED' && details['reason'] === 'preparing'
