/** Keeps a connection to a server: when one is lost, another is made, as long as that may help. */
import { pause, retryMs } from '#engine/stream-connection'

export interface KeepConnectedOptions {
  /** One connection, from its greeting to its end. Throws what ended it. */
  readonly connection: () => Promise<never>
  /** Asked before each. */
  readonly isToGoOn: () => boolean
  /** What follows from how one ended: nothing more, another at once, another after a while, or that no other would help. */
  readonly judge: (error: unknown) => 'over' | 'at once' | 'later' | 'failed'
  /** Another is made after a while. `tries`: how many were in vain before, lately. */
  readonly lost: (error: unknown, tries: number) => void
  readonly signal: AbortSignal
}

/** A connection that stood for so long makes the next one worth trying soon. */
const goodMs = 10_000

/** Resolves when no other is to come, or the signal is aborted. Throws what no other would help against. */
export async function keepConnected(options: KeepConnectedOptions): Promise<void> {
  const { connection, isToGoOn, judge, lost, signal } = options
  for (let tries = 0; isToGoOn(); tries++) {
    const beganMs = performance.now()
    try {
      await connection()
    } catch (error) {
      const verdict = signal.aborted ? 'over' : judge(error)
      if (verdict === 'over') return
      if (verdict === 'failed') throw error
      if (verdict === 'at once') continue
      if (performance.now() - beganMs > goodMs) tries = 0
      lost(error, tries)
      await pause(retryMs(tries), signal)
    }
  }
}
