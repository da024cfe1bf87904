/** The tab's title and picture, where progress shows while the window is in the background. */
import { useEffect } from 'react'
import { frontJob, restoreJob, useBoth, type EngineMirror, type ViewState } from '#renderer/store'
import { isResting, isSessionOver, isStarting, type SessionState } from '#shared/model'
import { describeSessionPhase, jobDoing, visible } from '#shared/words'
import plainIcon from '#assets/icon.svg'
import { statusText } from './status-text.ts'

/** `43 % – Restoring – Reprise`. */
export const pageTitle = (mirror: EngineMirror, view: ViewState): string =>
  [...titleWords(mirror, view), 'Reprise'].join(' – ')

function titleWords(mirror: EngineMirror, view: ViewState): readonly string[] {
  if (isAway(mirror)) return [statusText(mirror, view).text]
  const job = frontJob(mirror, view)
  if (job) {
    const percent = job.progress?.percent ?? null
    return [...(percent === null ? [] : [`${percent} %`]), jobDoing(job)]
  }
  const [unread] = view.failures
  if (unread) return ['Failed', unread.kind === 'worked' ? unread.job.title : sessionName(unread.sessions[0])]
  const session = runningSession(mirror)
  const ended = lastEnd(mirror, view)
  // How a restore ended is told where it is shown, as in the status line; elsewhere what goes on comes first, if it does.
  const isEndFirst = (session && isResting(session)) || (view.tab === 'restore' && restoreEnd(mirror, view))
  return session && !(ended && isEndFirst) ? sessionWords(session) : (ended?.words ?? [])
}

/** What is known is of before: it may have moved on, or be over. */
const isAway = ({ connection }: EngineMirror) => connection.state === 'lost' || connection.state === 'refused'

/** One that rests may do so for days: another that is at work is told of first. */
function runningSession({ sessions }: EngineMirror): SessionState | undefined {
  const running = sessions.filter(({ phase }) => !isSessionOver(phase))
  return running.find((each) => !isResting(each)) ?? running[0]
}

const sessionName = ({ settings }: SessionState) => settings.name

function sessionWords(session: SessionState): readonly string[] {
  const { clients } = session
  const done = clients.filter(({ state }) => state === 'done').length
  const isBefore = clients.length === 0 || isStarting(session)
  const doing = isBefore ? describeSessionPhase(session) : `${done} of ${clients.length} done`
  return [doing, sessionName(session)]
}

interface End {
  readonly words: readonly string[]
  readonly atMs: number
}

/** Of what ended and is still shown, in its panel or above, the one that came last. */
function lastEnd(mirror: EngineMirror, view: ViewState): End | null {
  const ends = [restoreEnd(mirror, view), sessionEnd(mirror, view), workEnd(view)]
  return ends.reduce((last, end) => (end && (last === null || end.atMs >= last.atMs) ? end : last), null)
}

function restoreEnd(mirror: EngineMirror, view: ViewState): End | null {
  const job = restoreJob(mirror, view)
  const kind = job?.outcome?.kind
  if (!job || (kind !== 'failed' && kind !== 'done')) return null
  return { words: [kind === 'failed' ? 'Failed' : 'Done'], atMs: job.endedMs ?? 0 }
}

function sessionEnd({ sessions }: EngineMirror, { server, tab }: ViewState): End | null {
  if (tab !== 'multicast') return null
  const failed = sessions.find(({ sessionId, phase }) => sessionId === server.shown && phase === 'failed')
  return failed ? { words: ['Failed', sessionName(failed)], atMs: failed.endedMs ?? 0 } : null
}

function workEnd({ notice }: ViewState): End | null {
  if (notice?.kind !== 'worked') return null
  const { title, endedMs } = notice.job
  return { words: ['Done', title], atMs: endedMs ?? 0 }
}

/** Null without a job that is heard of; else the percent in steps of 4, so that the picture changes rarely. */
export function iconPercent(mirror: EngineMirror, view: ViewState): number | null {
  const percent = isAway(mirror) ? null : (frontJob(mirror, view)?.progress?.percent ?? null)
  return percent === null ? null : Math.floor(percent / 4) * 4
}

/** Draws nothing. A component of its own, so that a percent more draws nothing else either. */
export function PageTitle(): null {
  const title = useBoth(pageTitle)
  const percent = useBoth(iconPercent)
  useEffect(() => {
    document.title = visible(title)
  }, [title])
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
    if (link) link.href = percent === null ? plainIcon : ringIcon(percent)
  }, [percent])
  return null
}

/** A ring that fills. */
function ringIcon(percent: number): string {
  const length = 2 * Math.PI * 12
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke-width="7"><circle cx="16" cy="16" r="12" stroke="#8aa4cf" stroke-opacity=".45"/><circle cx="16" cy="16" r="12" stroke="#2470e3" stroke-dasharray="${(length * percent) / 100} ${length}" transform="rotate(-90 16 16)"/></svg>`
  return `data:image/svg+xml,${encodeURIComponent(drawing)}`
}
