/**
 * Keeps the system informed while jobs and streams run: the bar on the dock, no sleep, and for someone who isn't looking a
 * notification: at the end of a job, when the first computer has joined a stream, when nobody is at it any more, when it failed. At the
 * end of a job and the failure of a stream the window asks for a look, too, and failures are counted on its icon.
 */
import type { BrowserWindow as Window } from 'electron'
import { isSessionOver, type SessionState, type ToldEnds } from '#shared/model'
import type { UiHost } from '#main/ui-host'
import type { ElectronModules } from './electron-modules.ts'
import { failureBadge } from './failure-badge.ts'
import { farewell, progressBar } from './job-summary.ts'
import { createNotifier } from './notifier.ts'
import { hasFailed, sessionNews } from './session-news.ts'

export interface TellSystemOptions {
  readonly electron: Pick<ElectronModules, 'app' | 'nativeImage' | 'Notification' | 'powerSaveBlocker'>
  readonly platform: NodeJS.Platform
  readonly ui: Pick<UiHost, 'jobs' | 'onJob' | 'sessions' | 'onSessions'>
  readonly window: () => Window | null
}

export function tellSystem({
  electron,
  platform,
  ui,
  window,
}: TellSystemOptions): Disposable & { seen(): void } {
  const { app, nativeImage, powerSaveBlocker } = electron
  let blocker: number | null = null
  let unseenFailures = 0
  let countedFailures = 0
  let flashing = false

  const openWindow = () => {
    const open = window()
    return open?.isDestroyed() === false ? open : null
  }

  /** Windows has no count on an icon, but room for a small one on it. */
  const countFailures = () => {
    if (unseenFailures === countedFailures) return
    countedFailures = unseenFailures
    if (platform !== 'win32') app.setBadgeCount(unseenFailures)
    else if (unseenFailures === 0) openWindow()?.setOverlayIcon(null, '')
    else openWindow()?.setOverlayIcon(nativeImage.createFromDataURL(failureBadge), `${unseenFailures} failed`)
  }

  const flash = (now: boolean) => {
    if (now === flashing) return
    flashing = now
    openWindow()?.flashFrame(now)
  }

  const draw = () => {
    countFailures()
    const open = openWindow()
    if (open === null) return
    const { fraction, mode } = progressBar(ui.jobs(), {
      failure: unseenFailures > 0 ? 'unseen' : 'seen',
      platform,
    })
    open.setProgressBar(fraction, { mode })
  }

  /**
   * The hosts of jobs and sessions tell logind. A desktop passes by what its own user told there (up to systemd 256), and heeds what its
   * session is told.
   */
  const keepAwake = () => {
    const running =
      ui.jobs().some((job) => job.outcome === null) ||
      ui.sessions().some(({ phase }) => !isSessionOver(phase))
    if (running) blocker ??= powerSaveBlocker.start('prevent-app-suspension')
    else if (blocker !== null) {
      powerSaveBlocker.stop(blocker)
      blocker = null
    }
  }

  const notifier = createNotifier(electron, () => {
    window()?.show()
    window()?.focus()
  })
  const notify = (words: ReturnType<typeof farewell>) => {
    if (words !== null) notifier.show(words)
  }

  /** At the log's own window nobody sees how jobs end. */
  const isLooking = () => openWindow()?.isFocused() === true

  const endJobs = ui.onJob((job) => {
    keepAwake()
    const words = farewell(job)
    if (words !== null && !isLooking()) {
      if (job.outcome?.kind === 'failed') unseenFailures += 1
      flash(true)
      notify(words)
    }
    draw()
  })

  const told: ToldEnds = new Map()
  let sessions: readonly SessionState[] = ui.sessions()
  const endSessions = ui.onSessions((now) => {
    keepAwake()
    if (!isLooking()) {
      const failures = now.filter((session) => hasFailed(session, sessions)).length
      unseenFailures += failures
      if (failures > 0) flash(true)
      for (const news of sessionNews(sessions, now, told)) notify(news)
    }
    sessions = now
    draw()
  })

  return {
    /** The window was looked at. */
    seen() {
      unseenFailures = 0
      flash(false)
      draw()
    },
    [Symbol.dispose]() {
      endJobs()
      endSessions()
      unseenFailures = 0
      countFailures()
      if (blocker !== null) powerSaveBlocker.stop(blocker)
    },
  }
}
