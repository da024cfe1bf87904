/** One session: getting ready, waiting, streaming, ended. */
import { unreachable } from '#shared/errors'
import { Button, CopyButton, CopyDetails, ProgressBar, StateIcon } from '#renderer/components'
import { isConnected, useActions, useErrorReport, useMirror } from '#renderer/store'
import { isSessionOver, type SessionState } from '#shared/model'
import { formatBytes } from '#shared/units'
import { describeError, describeSessionFailure } from '#shared/words'
import { ClientTable } from './client-table.tsx'
import { LossHint } from './loss-hint.tsx'
import { SessionHead } from './session-head.tsx'
import { StreamFigures } from './stream-figures.tsx'
import { endedWords, waitingWords } from './text.ts'
import { useCountdown } from './use-countdown.ts'

export function SessionView({ sessionId }: { readonly sessionId: string }) {
  const session = useMirror((mirror) => mirror.sessions.find((each) => each.sessionId === sessionId))
  if (!session) return null
  return (
    <section className="session" aria-label={session.settings.name}>
      <SessionHead session={session} />
      <Stage session={session} />
      {!isSessionOver(session.phase) && <ClientCommand session={session} />}
      <Warnings session={session} />
      <LossHint session={session} />
      <ClientTable session={session} />
    </section>
  )
}

function Stage({ session }: { readonly session: SessionState }) {
  switch (session.phase) {
    case 'preparing':
      return <Preparing session={session} />
    case 'waiting':
      return <Waiting session={session} />
    case 'streaming':
    case 'quiet':
      return <StreamFigures session={session} />
    case 'ended':
    case 'failed':
      return <Over session={session} />
    default:
      return unreachable(session.phase)
  }
}

function Preparing({ session }: { readonly session: SessionState }) {
  const { doneBytes = 0, totalBytes = 0 } = session.preparing ?? {}
  const percent = totalBytes === 0 ? null : Math.floor((doneBytes / totalBytes) * 100)
  const text = `Reading '${session.imageName}'`
  return (
    <div className="session-stage session-preparing">
      <p className="section-title">{text}</p>
      <ProgressBar label={text} percent={percent} text={`${text}, ${percent ?? 0} percent`} />
      <p className="secondary">
        {formatBytes(doneBytes)} of {formatBytes(totalBytes)}. What clients get is compared with what is read
        now; next time this takes no time.
      </p>
    </div>
  )
}

function Waiting({ session }: { readonly session: SessionState }) {
  const actions = useActions()
  const connected = useMirror(isConnected)
  const startsInMs = useCountdown(session.startsInMs)
  return (
    <div className="session-stage session-waiting">
      <div>
        <p className="section-title" role="timer">
          {waitingWords(session, startsInMs)}
        </p>
        <p className="secondary">
          Computers that come later have the whole image too, after one image's worth of stream.
        </p>
      </div>
      <Button look="primary" isDisabled={!connected} onPress={() => void actions.startNow(session.sessionId)}>
        Start Now
      </Button>
    </div>
  )
}

function Over({ session }: { readonly session: SessionState }) {
  const report = useErrorReport()
  if (session.phase === 'failed') {
    const { what, why, now } = describeSessionFailure(session)
    const { error, endedMs: atMs, settings } = session
    return (
      <div className="session-stage session-over" data-tone="failed" role="alert">
        <StateIcon state="failed" size={18} />
        <div className="selectable">
          <p className="section-title">{what}</p>
          {[why, now].map((part) => part && <p key={part}>{part}</p>)}
          {error && (
            <p className="session-code small secondary">
              {error.code}
              <CopyDetails text={() => report({ error, said: `${settings.name}: ${what}`, atMs })} />
            </p>
          )}
        </div>
        <StartAgain sessionId={session.sessionId} />
      </div>
    )
  }
  return (
    <div className="session-stage session-over">
      <StateIcon state={endedIcon(session)} size={18} />
      <p className="section-title">{endedWords(session)}</p>
      <StartAgain sessionId={session.sessionId} />
    </div>
  )
}

function StartAgain({ sessionId }: { readonly sessionId: string }) {
  const { startAgain } = useActions()
  return <Button onPress={() => startAgain(sessionId)}>Start Again…</Button>
}

const endedIcon = ({ clients }: SessionState) =>
  clients.length === 0 ? 'stopped' : clients.every(({ state }) => state === 'done') ? 'done' : 'warning'

/** The very line to type on the clients. */
function ClientCommand({ session }: { readonly session: SessionState }) {
  return (
    <div className="client-command">
      <span className="secondary small">On each client</span>
      <code className="ellipsis selectable" title={session.command}>
        {session.command}
      </code>
      <CopyButton label="Copy" text={() => session.command} />
    </div>
  )
}

function Warnings({ session }: { readonly session: SessionState }) {
  return session.warnings.map((warning) => {
    const { what, why, now } = describeError(warning)
    return (
      <p key={`${warning.code} ${warning.message}`} className="stream-note" data-tone="warning" role="status">
        <StateIcon state="warning" />
        <span className="selectable">{[what, why, now].filter((part) => part !== null).join(' ')}</span>
      </p>
    )
  })
}
