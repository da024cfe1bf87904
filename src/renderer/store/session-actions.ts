/** Streams of this computer that run: which one is shown, what is changed while they do, and how they end. */
import { isSessionOver, type ClientChange, type SessionState } from '#shared/model'
import { describeSessionFailure } from '#shared/words'
import { failNotice, type ActionDeps } from './action-deps.ts'
import { addFailures, showsSession } from './failures.ts'
import { movedOrder, unfinished } from './sessions.ts'
import type { EngineMirror } from './engine-mirror.ts'
import { goTo, type Failure, type Sheet, type ViewState } from './view-state.ts'

export interface SessionActions {
  readonly showSession: (sessionId: string) => void
  /** Earlier or later among the streams that clients are offered who name none. */
  readonly moveSession: (sessionId: string, way: 'up' | 'down') => Promise<void>
  readonly startNow: (sessionId: string) => Promise<void>
  /** Bytes a second. */
  readonly setStreamRate: (
    sessionId: string,
    rate: { readonly dataRate: number; readonly clientDataRate: number | null },
  ) => Promise<void>
  readonly openRate: (sessionId: string) => void
  /** Stops at once where nobody waits for more of it, else asks. */
  readonly stopStream: (sessionId: string) => Promise<void>
  /** The answer to that question. */
  readonly stopStreamNow: (when: 'now' | 'when-finished') => Promise<void>
  /** An ended one goes out of the list. */
  readonly forgetSession: (sessionId: string) => Promise<void>
  readonly openClient: (sessionId: string, clientId: string) => void
  /** Asks whether this one really is meant: rows change places, and its disk may be left incomplete. */
  readonly askDisconnect: (sessionId: string, clientId: string) => void
  /** What became of a client, oldest first; nothing where nobody knows any more. */
  readonly clientLog: (sessionId: string, clientId: string) => Promise<readonly ClientChange[]>
  /** Yes, it is. */
  readonly disconnectClient: () => Promise<void>
}

export function sessionActions({ mirror, view, client }: ActionDeps): SessionActions {
  const { setState, getState } = view

  const show = (shown: string | null) => setState(({ server }) => ({ server: { ...server, shown } }))

  const sessionName = (sessionId: string) =>
    mirror.store.getState().sessions.find((session) => session.sessionId === sessionId)?.settings.name ?? ''

  /** A request about a session; what it can't do is said above the panel. */
  const tell = async (sessionId: string, request: () => Promise<unknown>) => {
    try {
      await request()
    } catch (error) {
      failNotice(view, 'stream', sessionName(sessionId))(error)
    }
  }

  /** Asked once: to be asked again, when it has ended and the window doesn't know yet, would have it forgotten. */
  const stopped = new Set<string>()

  const stop = (sessionId: string, when: 'now' | 'when-finished') =>
    tell(sessionId, async () => {
      if (stopped.has(sessionId)) return
      if (when === 'now') stopped.add(sessionId)
      try {
        await client.request('session.stop', { sessionId, when })
      } catch (error) {
        stopped.delete(sessionId)
        throw error
      }
    })

  const isOpen = (sheet: Sheet) => getState().sheet === sheet

  return {
    showSession(sessionId) {
      setState(goTo('multicast'))
      show(sessionId)
    },
    moveSession: (sessionId, way) =>
      tell(sessionId, async () => {
        const sessionIds = movedOrder(mirror.store.getState().sessions, sessionId, way)
        if (sessionIds === null) return
        await client.request('session.setPrecedence', { sessionIds: [...sessionIds] })
        // The next word of the host would come half a second later, and would be the same.
        const place = ({ sessionId }: SessionState) =>
          sessionIds.includes(sessionId) ? sessionIds.indexOf(sessionId) : sessionIds.length
        mirror.setSessions(mirror.store.getState().sessions.toSorted((a, b) => place(a) - place(b)))
      }),
    startNow: (sessionId) => tell(sessionId, () => client.request('session.startNow', { sessionId })),
    async setStreamRate(sessionId, rate) {
      const { sheet } = getState()
      await tell(sessionId, () => client.request('session.setRate', { sessionId, ...rate }))
      if (sheet?.kind === 'stream-rate' && isOpen(sheet)) setState({ sheet: null })
    },
    openRate: (sessionId) => setState({ sheet: { kind: 'stream-rate', sessionId } }),
    async stopStream(sessionId) {
      const session = mirror.store.getState().sessions.find((each) => each.sessionId === sessionId)
      if (!session || isSessionOver(session.phase)) return
      if (unfinished(session) > 0) setState({ sheet: { kind: 'stop-stream', sessionId } })
      else await stop(sessionId, 'now')
    },
    async stopStreamNow(when) {
      const { sheet } = getState()
      if (sheet?.kind !== 'stop-stream') return
      setState({ sheet: null })
      await stop(sheet.sessionId, when)
    },
    forgetSession: (sessionId) =>
      tell(sessionId, async () => {
        await client.request('session.stop', { sessionId, when: 'now' })
        // The next word of the host would come half a second later.
        const { sessions } = mirror.store.getState()
        mirror.setSessions(sessions.filter((session) => session.sessionId !== sessionId))
        if (getState().server.shown === sessionId) show(null)
      }),
    openClient: (sessionId, clientId) => setState({ sheet: { kind: 'stream-client', sessionId, clientId } }),
    askDisconnect: (sessionId, clientId) =>
      setState({ sheet: { kind: 'disconnect-client', sessionId, clientId } }),
    clientLog: (sessionId, clientId) =>
      client.request('session.clientLog', { sessionId, clientId }).catch(() => []),
    async disconnectClient() {
      const { sheet } = getState()
      if (sheet?.kind !== 'disconnect-client') return
      const { sessionId, clientId } = sheet
      setState({ sheet: null })
      await tell(sessionId, () => client.request('session.disconnect', { sessionId, clientId }))
    },
  }
}

/** What changes on the screen when streams moved: those that fail where nobody sees it are told of. Pure; returns only what changed. */
export function afterSessions(
  view: ViewState,
  before: EngineMirror['sessions'],
  now: EngineMirror['sessions'],
): Partial<ViewState> {
  const ran = new Set(before.filter(({ phase }) => !isSessionOver(phase)).map(({ sessionId }) => sessionId))
  const failed = now.filter(
    (session) => session.phase === 'failed' && ran.has(session.sessionId) && !showsSession(view, session),
  )
  const { shown } = view.server
  const has = (sessions: EngineMirror['sessions']) => sessions.some(({ sessionId }) => sessionId === shown)
  return {
    ...(failed.length > 0 ? addFailures(view, forEachReason(failed)) : {}),
    // Another window took it out of the list.
    ...(shown !== null && has(before) && !has(now) ? { server: { ...view.server, shown: null } } : {}),
  }
}

/** Of streams that fail at once, those for one reason are told of together. */
const forEachReason = (failed: EngineMirror['sessions']): readonly Failure[] =>
  [...Map.groupBy(failed, (session) => JSON.stringify(describeSessionFailure(session))).values()].flatMap(
    ([first, ...others]) => (first ? [{ kind: 'stream-failed', sessions: [first, ...others] }] : []),
  )
