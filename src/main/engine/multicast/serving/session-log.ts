/** Says in the log which sessions begin, move to another address and end, whoever starts and stops them. A failure is logged by whoever handles it. */
import type { Logger } from '#shared/log'
import { publicLocator, type SessionState } from '#shared/model'

/** Call it with all sessions at each change. */
export function createSessionLog(log: Logger): (sessions: readonly SessionState[]) => void {
  /** Where they are sent from. */
  const running = new Map<string, string>()
  return (sessions) => {
    for (const session of sessions) {
      const { sessionId, settings, address, endedMs } = session
      if (endedMs === null) {
        const before = running.get(sessionId)
        running.set(sessionId, address)
        if (before === undefined) log.info('a session begins', beginning(session))
        else if (before !== address)
          log.info('a session is sent from another address', { name: settings.name, before, address })
      }
      if (endedMs !== null && running.delete(sessionId)) log.info('a session ended', end(session, endedMs))
    }
  }
}

function beginning({ sessionId, settings, interfaceName }: SessionState) {
  const { group, port, ttl, dataRate } = settings.configuration
  return {
    name: settings.name,
    source: publicLocator(settings.source),
    compression: settings.compression,
    group,
    port,
    ttl,
    dataRate,
    interface: interfaceName,
    password: settings.hasPassword,
    session: sessionId,
  }
}

function end({ sessionId, settings, phase, createdMs, sentBytes, clients }: SessionState, endedMs: number) {
  const finished = clients.filter(({ state }) => state === 'done').length
  return {
    name: settings.name,
    phase,
    seconds: Math.round(endedMs - createdMs) / 1000,
    sentBytes,
    clients: clients.length,
    finished,
    session: sessionId,
  }
}
