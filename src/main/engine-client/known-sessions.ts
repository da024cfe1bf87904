/** The sessions of the host, and those whose host died: how these ended nobody else can say any more. */
import { serializeError, type AppError } from '#shared/errors'
import { isSessionOver, type SessionState } from '#shared/model'

/** So many are kept, as a host keeps them. */
const rememberedSessions = 100

export class KnownSessions {
  #running: readonly SessionState[] = []
  #lost: readonly SessionState[] = []

  all(): readonly SessionState[] {
    return [...this.#running, ...this.#lost]
  }

  /** All that the host has, as it says. */
  set(sessions: readonly SessionState[]): void {
    this.#running = sessions
  }

  /** Their host died: what was under way has failed. */
  lose(error: AppError, nowMs: number): void {
    const lost = this.#running.map((session) => lostSession(session, error, nowMs))
    this.#lost = [...lost, ...this.#lost].slice(0, rememberedSessions)
    this.#running = []
  }

  /** Takes a lost one out; false: it isn't one. */
  forget(sessionId: string): boolean {
    const kept = this.#lost.filter((session) => session.sessionId !== sessionId)
    const found = kept.length < this.#lost.length
    this.#lost = kept
    return found
  }
}

/** The last state of a session, as it ended with its host. One that was over stays as it is. */
function lostSession(session: SessionState, error: AppError, nowMs: number): SessionState {
  if (isSessionOver(session.phase)) return session
  return {
    ...session,
    phase: 'failed',
    endedMs: nowMs,
    preparing: null,
    startsInMs: null,
    sentBytesPerSecond: 0,
    error: serializeError(error),
  }
}
