/** What is worth a notification about streams, from one state of them to the next. Pure. */
import { allEnded, type SessionState } from '#shared/model'
import { formatCount } from '#shared/units'
import { describeDoneClients, describeSessionFailure } from '#shared/words'

export interface News {
  readonly title: string
  readonly body: string
}

/** It has failed, and hadn't before. */
export const hasFailed = ({ sessionId, phase }: SessionState, before: readonly SessionState[]): boolean =>
  phase === 'failed' &&
  before.every((session) => session.sessionId !== sessionId || session.phase !== 'failed')

export function sessionNews(before: readonly SessionState[], now: readonly SessionState[]): readonly News[] {
  return now.flatMap((session) => {
    const was = before.find(({ sessionId }) => sessionId === session.sessionId)
    const { name } = session.settings
    const first = session.clients[0]
    const news: News[] = []
    if (first && (was?.clients.length ?? 0) === 0)
      news.push({ title: 'The first computer has joined', body: `${first.host} receives '${name}'.` })
    if (allEnded(session) && !(was && allEnded(was)))
      news.push({ title: describeDoneClients(session.clients), body: doneWords(session) })
    if (hasFailed(session, before))
      news.push({ title: 'The stream failed', body: `'${name}': ${describeSessionFailure(session).what}` })
    return news
  })
}

/** Not that it was verified there: whoever restores may leave that out, and a server isn't told. */
function doneWords({ settings, clients }: SessionState): string {
  const done = clients.filter(({ state }) => state === 'done').length
  return `'${settings.name}': ${formatCount(done)} ${done === 1 ? 'has' : 'have'} it.`
}
