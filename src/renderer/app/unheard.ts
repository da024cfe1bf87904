/**
 * What stands in an alert that nobody hears: it comes where a sheet, a menu or the sidebar makes it inert, or waits until another one
 * was read. Pure.
 */
import { unreachable, type SerializedError } from '#shared/errors'
import {
  isLocked,
  isUnanswered,
  restoreStage,
  showsJob,
  showsSession,
  sourceProblem,
  type Failure,
  type Notice,
} from '#renderer/store'
import type { JobState, SessionState } from '#shared/model'
import { describeError, describeWhole } from '#shared/words'
import { endedJobs, type Moment } from './moment.ts'
import { connectionWords, engineWords, noticeWords, type NoticeWords } from './text.ts'

/** What can't be used meanwhile, and where no alert is heard: the panel, under the sidebar; or the notices, too, under a sheet or a menu. */
export type Cover = 'none' | 'panel' | 'panel-and-notices'

/** What no alert tells of what is new. Work on an image is told at its end. */
export function unheardWords(before: Moment, now: Moment, cover: Cover): readonly string[] {
  const notices = unheardNotices(before, now, cover).map(bannerWords)
  switch (cover) {
    case 'none':
      return notices
    case 'panel':
      return [...notices, ...panelWords(before, now)]
    case 'panel-and-notices':
      return [...hostWords(before, now), ...notices, ...panelWords(before, now)]
    default:
      return unreachable(cover)
  }
}

function unheardNotices(before: Moment, now: Moment, cover: Cover): readonly Notice[] {
  const jobs = endedJobs(before, now).filter(
    ({ kind, outcome }) => kind === 'restore' && outcome?.kind === 'failed',
  )
  const sessions = failedSessions(before, now)
  switch (cover) {
    case 'none':
      return waiting(before, now)
    case 'panel':
      return [
        ...jobs.filter((job) => showsJob(now.view, job)).map(worked),
        ...sessions.filter((session) => showsSession(now.view, session)).map(streamFailed),
        ...waiting(before, now),
      ]
    case 'panel-and-notices':
      return [...jobs.map(worked), ...sessions.map(streamFailed), ...warning(before, now)]
    default:
      return unreachable(cover)
  }
}

const worked = (job: JobState): Failure => ({ kind: 'worked', job })
const streamFailed = (session: SessionState): Failure => ({ kind: 'stream-failed', sessions: [session] })

/** The failures behind another one: only the first is an alert. */
const waiting = ({ view: { failures: before } }: Moment, { view: { failures } }: Moment) =>
  failures.slice(1).filter((failure) => !before.includes(failure) && !isImageWork(failure))

/** The notice beside the failures, if it is new and an alert. */
const warning = ({ view: { notice: before } }: Moment, { view: { notice } }: Moment) =>
  notice && notice !== before && notice.kind !== 'worked' && noticeWords(notice).tone !== 'info'
    ? [notice]
    : []

const failedSessions = ({ mirror: { sessions: before } }: Moment, { mirror: { sessions } }: Moment) =>
  sessions.filter(
    ({ sessionId, phase }) =>
      phase === 'failed' && before.some((was) => was.sessionId === sessionId && was.phase !== 'failed'),
  )

const isImageWork = (failure: Failure) => failure.kind === 'worked' && failure.job.kind !== 'restore'

/** What its banner says. */
export const bannerWords = (notice: Notice): string => inOneLine(noticeWords(notice))

const inOneLine = ({ title, text }: NoticeWords) => `${title} ${text}`.trim()

/** That the host or its engine is gone. */
function hostWords({ mirror: before }: Moment, { mirror: now }: Moment): readonly string[] {
  const changes = [
    [connectionWords(before.connection), connectionWords(now.connection)],
    [engineWords(before.engine), engineWords(now.engine)],
  ] as const
  return changes.flatMap(([was, is]) => (is && is.title !== was?.title ? [inOneLine(is)] : []))
}

/** What went wrong in the panel in sight. */
const panelWords = (before: Moment, now: Moment): readonly string[] => [
  ...sourceWords(before, now),
  ...formWords(before, now),
]

/** Its headline is in the well, the rest below. */
function sourceWords(before: Moment, now: Moment): readonly string[] {
  const { source } = now.view
  const error = shownSourceProblem(now)
  if (!source || !error) return []
  const was = shownSourceProblem(before)
  if (was?.code === error.code && before.view.source?.locator === source.locator) return []
  const { what, why, now: todo } = describeError(error, { source: source.name })
  return [[what, why, isUnanswered({ error }) ? null : todo].filter((part) => part !== null).join(' ')]
}

function shownSourceProblem({ mirror, view }: Moment): SerializedError | null {
  if (view.tab !== 'restore' || restoreStage(mirror, view) !== 'compose') return null
  const error = sourceProblem(mirror, view)
  return error === null || isLocked({ error }) ? null : error
}

/** That a stream couldn't be started, or the network not be checked. */
function formWords({ view: before }: Moment, { view: now }: Moment): readonly string[] {
  if (now.tab !== 'multicast' || now.server.shown !== null) return []
  return (['sending', 'check'] as const).flatMap((asked) => {
    const answer = now.server[asked]
    return answer.state === 'failed' && answer !== before.server[asked] ? [describeWhole(answer.error)] : []
  })
}
