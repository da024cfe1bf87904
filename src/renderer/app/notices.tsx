/** What stands across the top of the main panel: a lost connection, a gone engine, something that went wrong aside. */
import type { ReactNode } from 'react'
import { Banner, CopyDetails, Spinner, useSettled } from '#renderer/components'
import {
  useActions,
  useMirror,
  useReprise,
  useView,
  type EngineMirror,
  type Failure,
  type Notice,
  type ViewState,
} from '#renderer/store'
import { noticeReport } from './notice-report.ts'
import { connectionWords, engineWords, noticeWords, type NoticeWords } from './text.ts'

export function Notices() {
  return (
    <div className="notices">
      <ConnectionNotice />
      <EngineNotice />
      <UnsupportedNotice />
      <FailureNotice />
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
  const isRetrying = connection.state === 'lost' && connection.retrying
  return <HostBanner words={connectionWords(connection)} actions={isRetrying ? <Spinner /> : null} />
}

const engineOf = (mirror: EngineMirror) => mirror.engine

function EngineNotice() {
  return <HostBanner words={engineWords(useMirror(engineOf))} />
}

interface HostBannerProps {
  readonly words: NoticeWords | null
  readonly actions?: ReactNode
}

const HostBanner = ({ words, actions }: HostBannerProps) =>
  words && (
    <Banner tone={words.tone} title={words.title} actions={actions}>
      {words.text}
    </Banner>
  )

const isUnsupported = (mirror: EngineMirror) => mirror.app?.supported === false

function UnsupportedNotice() {
  return (
    useMirror(isUnsupported) && (
      <Banner tone="info" title="Restoring to disks isn't supported on this system yet.">
        Images can be opened, verified, converted, scanned and resized.
      </Banner>
    )
  )
}

/** The announcer tells of every end but a restore's failure. */
const isTold = (notice: Notice): boolean =>
  notice.kind === 'worked' && !(notice.job.kind === 'restore' && notice.job.outcome?.kind === 'failed')

const firstFailure = ({ failures }: ViewState) => failures[0]
const failureCount = ({ failures }: ViewState) => failures.length
const subjectOf = (failure: Failure) =>
  failure.kind === 'worked' ? failure.job.jobId : failure.sessions[0].sessionId

/** What is below the shown failure, or comes after it, comes where it was: a second press on its button doesn't close that unread. */
function useFailureSettled(): boolean {
  const failure = useView(firstFailure)
  return useSettled(failure ? subjectOf(failure) : '')
}

function FailureNotice() {
  const failure = useView(firstFailure)
  const count = useView(failureCount)
  const { closeFailure } = useActions()
  const settled = useFailureSettled()
  return failure && <NoticeBanner notice={failure} count={count} onClose={() => settled && closeFailure()} />
}

const noticeOf = ({ notice }: ViewState) => notice

function AsideNotice() {
  const notice = useView(noticeOf)
  const { closeNotice } = useActions()
  const settled = useFailureSettled()
  return notice && <NoticeBanner notice={notice} onClose={() => settled && closeNotice()} />
}

interface NoticeBannerProps {
  readonly notice: Notice
  /** This one, and those that wait behind it. */
  readonly count?: number
  readonly onClose: () => void
}

function NoticeBanner({ notice, count = 1, onClose }: NoticeBannerProps) {
  const { mirror } = useReprise()
  const { tone, title, text } = noticeWords(notice)
  const report = noticeReport(notice)
  return (
    <Banner
      tone={tone}
      title={title}
      told={isTold(notice)}
      // The announcer tells of who comes: not all of this again.
      actions={
        <>
          {report && <CopyDetails text={() => report.text(mirror.getState().app, mirror.getState().log)} />}
          {count > 1 && (
            <span className="notice-count small" aria-live="off">
              1 of {count}
            </span>
          )}
        </>
      }
      onClose={onClose}
    >
      {text} {report && <span className="small secondary">{report.code}</span>}
    </Banner>
  )
}
