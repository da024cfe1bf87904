/**
 * Keeps the system informed while jobs and streams run: the bar on the dock, no sleep, and a notification for someone
 * who isn't looking: at the end of a job, when the first computer has joined a stream, when all are done, when it failed.
 */
import type { BrowserWindow as Window } from 'electron'
import type { SessionState } from '#shared/model'
import { visible } from '#shared/words'
import type { UiHost } from '#main/ui-host'
import type { ElectronModules } from './electron-modules.ts'
import { farewell, progressBar } from './job-summary.ts'
import { hasFailed, isStreaming, sessionNews } from './session-news.ts'

export interface TellSystemOptions {
  readonly electron: Pick<ElectronModules, 'BrowserWindow' | 'Notification' | 'powerSaveBlocker'>
  readonly ui: Pick<UiHost, 'jobs' | 'onJob' | 'sessions' | 'onSessions'>
  readonly window: () => Window | null
}

export function tellSystem({ electron, ui, window }: TellSystemOptions): Disposable & { seen(): void } {
  const { BrowserWindow, Notification, powerSaveBlocker } = electron
  let blocker: number | null = null
  let failure: 'seen' | 'unseen' = 'seen'

  const draw = () => {
    const open = window()
    if (open === null || open.isDestroyed()) return
    const { fraction, mode } = progressBar(ui.jobs(), failure)
    open.setProgressBar(fraction, { mode })
  }

  /**
   * The hosts of jobs and sessions tell logind. A desktop passes by what its own user told there (up to systemd 256), and heeds what its
   * session is told.
   */
  const keepAwake = () => {
    const running = ui.jobs().some((job) => job.outcome === null) || ui.sessions().some(isStreaming)
    if (running) blocker ??= powerSaveBlocker.start('prevent-app-suspension')
    else if (blocker !== null) {
      powerSaveBlocker.stop(blocker)
      blocker = null
    }
  }

  const notify = (words: ReturnType<typeof farewell>) => {
    if (words === null || !Notification.isSupported()) return
    const notification = new Notification({ title: visible(words.title), body: visible(words.body) })
    notification.on('click', () => {
      window()?.show()
      window()?.focus()
    })
    notification.show()
  }

  const isLooking = () => BrowserWindow.getFocusedWindow() !== null

  const endJobs = ui.onJob((job) => {
    keepAwake()
    const words = farewell(job)
    if (words !== null && !isLooking()) {
      if (job.outcome?.kind === 'failed') failure = 'unseen'
      notify(words)
    }
    draw()
  })

  let sessions: readonly SessionState[] = ui.sessions()
  const endSessions = ui.onSessions((now) => {
    keepAwake()
    if (!isLooking()) {
      if (now.some((session) => hasFailed(session, sessions))) failure = 'unseen'
      for (const news of sessionNews(sessions, now)) notify(news)
    }
    sessions = now
    draw()
  })

  return {
    /** The window was looked at. */
    seen() {
      failure = 'seen'
      draw()
    },
    [Symbol.dispose]() {
      endJobs()
      endSessions()
      if (blocker !== null) powerSaveBlocker.stop(blocker)
    },
  }
}
