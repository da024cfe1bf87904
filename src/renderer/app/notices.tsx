/** What stands across the top of the main panel: a lost connection, a gone engine, something that went wrong aside. */
import { Banner, Spinner } from '#renderer/components'
import { useActions, useMirror, useView, type EngineMirror, type Notice } from '#renderer/store'
import { engineGoneWords, noticeWords } from './text.ts'

export function Notices() {
  return (
    <div className="notices">
      <ConnectionNotice />
      <EngineNotice />
      <UnsupportedNotice />
      <AsideNotice />
    </div>
  )
}

/** For the log's own window, where nobody sees what a job or a stream is at: the main window tells of those. */
export function HostNotices() {
  return (
    <div className="notices">
      <ConnectionNotice />
      <EngineNotice />
    </div>
  )
}

const connectionOf = (mirror: EngineMirror) => mirror.connection

function ConnectionNotice() {
  const connection = useMirror(connectionOf)
  if (connection.state === 'refused')
    return (
      <Banner tone="danger" title="This link is not valid.">
        Each start of Reprise makes a new one. Take it from the terminal.
      </Banner>
    )
  if (connection.state !== 'lost') return null
  return connection.retrying ? (
    <Banner tone="warning" title="The connection to Reprise was lost." actions={<Spinner />}>
      A running job goes on by itself. Connecting again…
    </Banner>
  ) : (
    <Banner tone="danger" title="Reprise can't be reached.">
      If it still runs, its jobs go on, and this page connects again by itself. If not, start it again, then
      open the address that it prints.
    </Banner>
  )
}

const engineOf = (mirror: EngineMirror) => mirror.engine

function EngineNotice() {
  const engine = useMirror(engineOf)
  if (engine.state !== 'gone') return null
  return (
    <Banner tone="danger" title="The part of Reprise that does the work stopped.">
      {engineGoneWords(engine.reason)}
    </Banner>
  )
}

const isUnsupported = (mirror: EngineMirror) => mirror.app?.supported === false

function UnsupportedNotice() {
  return (
    useMirror(isUnsupported) && (
      <Banner tone="info" title="Restoring to disks isn't supported on this system yet.">
        Images can be opened and verified.
      </Banner>
    )
  )
}

/** The announcer tells of every end but a restore's failure. */
const isTold = (notice: Notice): boolean =>
  notice.kind === 'worked' && !(notice.job.kind === 'restore' && notice.job.outcome?.kind === 'failed')

function AsideNotice() {
  const notice = useView((view) => view.notice)
  const { closeNotice } = useActions()
  if (!notice) return null
  const { tone, title, text } = noticeWords(notice)
  return (
    <Banner tone={tone} title={title} told={isTold(notice)} onClose={closeNotice}>
      {text}
    </Banner>
  )
}
