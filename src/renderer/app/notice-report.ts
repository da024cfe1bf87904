/** What a notice of a failure has for a bug report. Pure. */
import type { AppInfo } from '#shared/contract'
import type { LogLine } from '#shared/log'
import { errorReport, jobReport, type Notice } from '#renderer/store'
import { noticeWords } from './text.ts'

export interface NoticeReport {
  readonly code: string
  readonly text: (app: AppInfo | null, log: readonly LogLine[]) => string
}

/** Null: it tells of no failure, or of one without an error. */
export function noticeReport(notice: Notice): NoticeReport | null {
  if (notice.kind === 'worked') {
    const { job } = notice
    if (job.outcome?.kind !== 'failed') return null
    return { code: job.outcome.error.code, text: (app, log) => jobReport(job, app, log) }
  }
  const failed = failureOf(notice)
  if (failed === null) return null
  const said = noticeWords(notice).title
  return { code: failed.error.code, text: (app, log) => errorReport({ ...failed, said }, app, log) }
}

function failureOf(notice: Notice) {
  if (notice.kind === 'error') return { error: notice.error }
  if (notice.kind !== 'stream-failed') return null
  const [{ error, endedMs }] = notice.sessions
  return error && { error, atMs: endedMs }
}
