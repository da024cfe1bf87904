/** Which session it is, how it stands, and how it is ended. */
import { Ellipsis, Plus } from 'lucide-react'
import { useState } from 'react'
import { Button, DeviceIcon, useSettled, type ContextMenuPlace } from '#renderer/components'
import {
  isConnected,
  unfinished,
  useActions,
  useHostTime,
  useMirror,
  type EngineMirror,
} from '#renderer/store'
import { isSessionOver, type SessionState } from '#shared/model'
import { formatClock } from '#shared/units'
import { describeSessionPhase } from '#shared/words'
import { haveOrder } from './session-bar.tsx'
import { SessionMenu } from './session-menu.tsx'

const isAlone = ({ sessions }: EngineMirror) => sessions.length === 1

export function SessionHead({ session }: { readonly session: SessionState }) {
  const actions = useActions()
  const alone = useMirror(isAlone)
  const { sessionId, settings, phase, interfaceName, imageName } = session
  const { group, port } = settings.configuration
  const place = `${imageName} · ${group}:${port} on ${interfaceName}`
  return (
    <header className="session-head">
      <DeviceIcon name="stream" size={40} />
      <div className="session-name">
        <h2 className="ellipsis" title={settings.name} tabIndex={-1} data-landing="next">
          {settings.name}
        </h2>
        <p className="secondary small ellipsis selectable" title={place}>
          {place}
        </p>
      </div>
      <span className="session-pill" data-phase={phase}>
        {describeSessionPhase(session)}
      </span>
      <Elapsed session={session} />
      {alone && (
        <Button onPress={actions.newStream}>
          <Plus size={13} aria-hidden />
          New Stream
        </Button>
      )}
      <EndButton key={sessionId} session={session} />
      {!isSessionOver(phase) && <More session={session} />}
    </header>
  )
}

function EndButton({ session }: { readonly session: SessionState }) {
  const actions = useActions()
  const { sessionId, phase } = session
  const over = isSessionOver(phase)
  const isDisabled = !useMirror(isConnected)
  // Remove comes where Stop was.
  const settled = useSettled(over)
  if (over)
    return (
      <Button isDisabled={isDisabled} onPress={() => settled && void actions.forgetSession(sessionId)}>
        Remove
      </Button>
    )
  // Only where somebody would be cut off is anything asked.
  return (
    <Button isDisabled={isDisabled} onPress={() => void actions.stopStream(sessionId)}>
      {unfinished(session) > 0 ? 'Stop…' : 'Stop'}
    </Button>
  )
}

/** What its place in the list offers, too, for who doesn't look for it there. */
function More({ session: { sessionId, settings } }: { readonly session: SessionState }) {
  const ordered = useMirror(haveOrder)
  const [at, setAt] = useState<ContextMenuPlace | null>(null)
  if (!ordered) return null
  return (
    <>
      <Button
        look="quiet"
        icon
        aria-haspopup="menu"
        aria-label={`Actions for ${settings.name}`}
        onPress={({ target, pointerType }) => {
          const box = target.getBoundingClientRect()
          const byKeyboard = pointerType === 'keyboard' || pointerType === 'virtual'
          setAt({ x: box.left, y: box.bottom, byKeyboard })
        }}
      >
        <Ellipsis size={14} aria-hidden />
      </Button>
      {at && <SessionMenu sessionId={sessionId} at={at} onClose={() => setAt(null)} />}
    </>
  )
}

/** Since the stream began; nothing before. */
function Elapsed({ session: { startedMs, endedMs } }: { readonly session: SessionState }) {
  const now = useHostTime({ ticking: startedMs !== null && endedMs === null })
  if (startedMs === null) return null
  const ms = Math.max(0, (endedMs ?? now) - startedMs)
  return (
    <time className="session-elapsed" aria-label={`Streaming for ${formatClock(ms)}`}>
      {formatClock(ms)}
    </time>
  )
}
