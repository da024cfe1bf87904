/** What is worth a notification about streams, from one state of them to the next. Pure. */
import type { SessionState } from '#shared/model'
import { describeSessionFailure, isStopped } from '#shared/words'

export interface News {
  readonly title: string
  readonly body: string
}

/** It sends, or will. */
export const isStreaming = ({ phase }: SessionState): boolean => phase !== 'ended' && phase !== 'failed'

const isDone = ({ clients }: SessionState) =>
  clients.some(({ state }) => state === 'done') &&
  clients.every(({ state }) => state === 'done' || state === 'failed' || isStopped(state))

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
    if (isDone(session) && !(was && isDone(was)))
      news.push({ title: 'All computers are done', body: doneWords(session) })
    if (hasFailed(session, before))
      news.push({ title: 'The stream failed', body: `'${name}': ${describeSessionFailure(session).what}` })
    return news
  })
}

function doneWords({ settings, clients }: SessionState): string {
  const done = clients.filter(({ state }) => state === 'done').length
  if (done === clients.length) return `'${settings.name}': all ${done} have it, verified.`
  return `'${settings.name}': ${done} have it, ${clients.length - done} don't.`
}
