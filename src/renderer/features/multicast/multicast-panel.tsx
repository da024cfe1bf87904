/** The Multicast Server tab: a form for a new stream, and the streams that run, one at a time. */
import { useBoth, type EngineMirror, type ViewState } from '#renderer/store'
import { Configure } from './configure.tsx'
import { SessionBar } from './session-bar.tsx'
import { SessionView } from './session-view.tsx'
import './multicast.css'

/** The session that is shown; null: the form. */
const shownSession = ({ sessions }: EngineMirror, { server }: ViewState) =>
  sessions.find((session) => session.sessionId === server.shown)?.sessionId ?? null

export function MulticastPanel() {
  const shown = useBoth(shownSession)
  return (
    <div className="multicast">
      <SessionBar shown={shown} />
      {shown === null ? <Configure /> : <SessionView key={shown} sessionId={shown} />}
    </div>
  )
}
