/** The Multicast Server tab: a form for a new stream, and the streams that run, one at a time. */
import { Plus } from 'lucide-react'
import { ToggleButton, ToggleButtonGroup } from 'react-aria-components'
import { sameData, useActions, useBoth, type EngineMirror, type ViewState } from '#renderer/store'
import { describeSessionPhase } from '#shared/words'
import { Configure } from './configure.tsx'
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

const sessionTitles = ({ sessions }: EngineMirror) =>
  sessions.map(({ sessionId, phase, settings }) => ({ sessionId, phase, name: settings.name }))

/** Only where there is something to choose between; one session alone has the button in its own line. */
function SessionBar({ shown }: { readonly shown: string | null }) {
  const titles = useBoth(sessionTitles, sameData)
  const actions = useActions()
  if (titles.length === 0 || (titles.length === 1 && shown !== null)) return null
  return (
    <ToggleButtonGroup
      className="segments session-bar"
      aria-label="Streams of this computer"
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[shown ?? 'new']}
      onSelectionChange={(keys) => {
        const [key] = [...keys]
        if (key === 'new') actions.newStream()
        else if (key !== undefined) actions.showSession(String(key))
      }}
    >
      {titles.map(({ sessionId, phase, name }) => (
        <ToggleButton key={sessionId} id={sessionId} className="segment session-chip">
          <span className="ellipsis">{name}</span>
          <span className="secondary small">{describeSessionPhase(phase)}</span>
        </ToggleButton>
      ))}
      <ToggleButton id="new" className="segment session-chip">
        <Plus size={13} aria-hidden />
        New Stream
      </ToggleButton>
    </ToggleButtonGroup>
  )
}
