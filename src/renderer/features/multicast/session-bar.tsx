/** The streams of this computer side by side, in order of precedence, and the form as the last of them. */
import { Plus } from 'lucide-react'
import { useState, type KeyboardEvent, type MouseEvent } from 'react'
import { ToggleButton, ToggleButtonGroup } from 'react-aria-components'
import type { ContextMenuPlace } from '#renderer/components'
import { offered, sameData, useActions, useBoth, type EngineMirror } from '#renderer/store'
import { isSessionOver } from '#shared/model'
import { describeSessionPhase } from '#shared/words'
import { SessionMenu } from './session-menu.tsx'

const sessionTitles = ({ sessions }: EngineMirror) =>
  sessions.map((session) => ({
    sessionId: session.sessionId,
    phase: session.phase,
    standing: describeSessionPhase(session),
    name: session.settings.name,
  }))

/** There is an order to choose. */
export const haveOrder = ({ sessions }: EngineMirror) => offered(sessions).length > 1

/** `shown`: the session's id; null: the form. Only where there is something to choose between. */
export function SessionBar({ shown }: { readonly shown: string | null }) {
  const titles = useBoth(sessionTitles, sameData)
  const ordered = useBoth(haveOrder)
  const actions = useActions()
  const [menu, setMenu] = useState<{ readonly sessionId: string; readonly at: ContextMenuPlace } | null>(null)
  // One session alone has the button in its own line.
  if (titles.length === 0 || (titles.length === 1 && shown !== null)) return null

  const openMenu = (event: MouseEvent) => {
    const chip = chipAt(event.target)
    if (!ordered || !chip || !isOffered(chip.id)) return
    event.preventDefault()
    setMenu({ sessionId: chip.id, at: placeOf(event, chip.element) })
  }
  const moveByKey = (event: KeyboardEvent) => {
    const way = event.key === 'ArrowUp' ? 'up' : event.key === 'ArrowDown' ? 'down' : null
    const chip = chipAt(event.target)
    if (!event.altKey || way === null || !ordered || !chip) return
    event.preventDefault()
    event.stopPropagation()
    void actions.moveSession(chip.id, way)
  }
  const isOffered = (id: string) =>
    titles.some(({ sessionId, phase }) => sessionId === id && !isSessionOver(phase))

  return (
    <div className="session-bar" onContextMenu={openMenu} onKeyDownCapture={moveByKey}>
      <ToggleButtonGroup
        className="segments"
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
        {titles.map(({ sessionId, standing, name }) => (
          <ToggleButton key={sessionId} id={sessionId} className="segment">
            <span className="session-chip" data-session={sessionId}>
              <span className="ellipsis">{name}</span>
              <span className="secondary small">{standing}</span>
            </span>
          </ToggleButton>
        ))}
        <ToggleButton id="new" className="segment">
          <span className="session-chip">
            <Plus size={13} aria-hidden />
            New Stream
          </span>
        </ToggleButton>
      </ToggleButtonGroup>
      {menu && <SessionMenu sessionId={menu.sessionId} at={menu.at} onClose={() => setMenu(null)} />}
    </div>
  )
}

function chipAt(target: EventTarget): { readonly element: Element; readonly id: string } | null {
  const element = target instanceof Element ? target.closest('button') : null
  const id = element?.querySelector('[data-session]')?.getAttribute('data-session') ?? null
  return element === null || id === null ? null : { element, id }
}

/** The pointer's place; under the chip when the keyboard asked for the menu. */
function placeOf(event: MouseEvent, chip: Element): ContextMenuPlace {
  const box = chip.getBoundingClientRect()
  return event.button === 2
    ? { x: event.clientX, y: event.clientY, byKeyboard: false }
    : { x: box.left, y: box.bottom, byKeyboard: true }
}
