/** The tab's title and picture, where progress shows while the window is in the background. */
import { useEffect } from 'react'
import { frontJob, useBoth, type EngineMirror, type ViewState } from '#renderer/store'
import { isSessionOver } from '#shared/model'
import { describeSessionPhase, jobDoing, visible } from '#shared/words'
import plainIcon from '#assets/icon.svg'

/** `43 % – Restoring – Reprise`. */
export function pageTitle(mirror: EngineMirror, view: ViewState): string {
  const job = frontJob(mirror, view)
  if (job) {
    const doing = jobDoing(job)
    const percent = job.progress?.percent ?? null
    return percent === null ? `${doing} – Reprise` : `${percent} % – ${doing} – Reprise`
  }
  const session = mirror.sessions.find(({ phase }) => !isSessionOver(phase))
  if (session) {
    const done = session.clients.filter(({ state }) => state === 'done').length
    const name = session.settings.name
    return session.clients.length === 0
      ? `${describeSessionPhase(session.phase)} – ${name} – Reprise`
      : `${done} of ${session.clients.length} done – ${name} – Reprise`
  }
  const failed = failedName(mirror, view)
  if (failed !== null) return `Failed – ${failed} – Reprise`
  const shown = view.restoreJobId === null ? null : mirror.jobs[view.restoreJobId]
  if (shown?.outcome?.kind === 'failed') return 'Failed – Reprise'
  const aside = view.notice?.kind === 'worked' ? view.notice.job : null
  const done = shown?.outcome?.kind === 'done' ? shown : null
  // Of two that are done, the one that came last.
  if (aside && (done?.endedMs ?? 0) <= (aside.endedMs ?? 0)) return `Done – ${aside.title} – Reprise`
  return done ? 'Done – Reprise' : 'Reprise'
}

/** What failed, until that was read: above the panel, or, of a stream, in its own. */
function failedName({ sessions }: EngineMirror, { failures, server, tab }: ViewState): string | null {
  const [unread] = failures
  if (unread) return unread.kind === 'worked' ? unread.job.title : unread.sessions[0].settings.name
  if (tab !== 'multicast') return null
  const shown = sessions.find(({ sessionId, phase }) => sessionId === server.shown && phase === 'failed')
  return shown?.settings.name ?? null
}

/** Null without a job; else the percent in steps of 4, so that the picture changes rarely. */
const iconPercent = (mirror: EngineMirror, view: ViewState) => {
  const percent = frontJob(mirror, view)?.progress?.percent ?? null
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
