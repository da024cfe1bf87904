/** What is worth a notification about streams, from one state of them to the next. Pure, but for what was told before. */
import { allEnded, forgetBegun, tellEnds, type SessionState, type ToldEnds } from '#shared/model'
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

/** `told` is kept from one call to the next. */
export function sessionNews(
  before: readonly SessionState[],
  now: readonly SessionState[],
  told: ToldEnds,
): readonly News[] {
  return now.flatMap((session) => {
    const was = before.find(({ sessionId }) => sessionId === session.sessionId)
    const { name } = session.settings
    const first = session.clients[0]
    const news: News[] = []
    forgetBegun(session, told)
    if (first && (was?.clients.length ?? 0) === 0)
      news.push({ title: 'The first computer has joined', body: `${first.host} receives '${name}'.` })
    if (allEnded(session) && !(was && allEnded(was)) && tellEnds(session, told))
      news.push({ title: describeDoneClients(session.clients), body: doneWords(session) })
    if (hasFailed(session, before))
      news.push({ title: 'The stream failed', body: `'${name}': ${describeSessionFailure(session).what}` })
    return news
  })
}

/** Not that it was verified there: whoever restores may leave that out, and a server isn't told. */
function doneWords({ settings, clients }: SessionState): string {
  const done = clients.filter(({ state }) => state === 'done').length
  const who = done === 0 ? 'nobody' : formatCount(done)
  return `'${settings.name}': ${who} ${done > 1 ? 'have' : 'has'} it.`
}
