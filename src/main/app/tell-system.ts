/**
 * Keeps the system informed while jobs run: the bar on the dock, no sleep, and a notification at the end for someone
 * who isn't looking.
 */
import type { BrowserWindow as Window } from 'electron'
import type { JobState } from '#shared/model'
import type { UiHost } from '#main/ui-host'
import type { ElectronModules } from './electron-modules.ts'
import { farewell, progressBar } from './job-summary.ts'

export interface TellSystemOptions {
  readonly electron: Pick<ElectronModules, 'BrowserWindow' | 'Notification' | 'powerSaveBlocker'>
  readonly ui: Pick<UiHost, 'jobs' | 'onJob'>
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

  const keepAwake = () => {
    const running = ui.jobs().some((job) => job.outcome === null)
    if (running) blocker ??= powerSaveBlocker.start('prevent-app-suspension')
    else if (blocker !== null) {
      powerSaveBlocker.stop(blocker)
      blocker = null
    }
  }

  const notify = (job: JobState) => {
    const words = farewell(job)
    if (words === null || BrowserWindow.getFocusedWindow() !== null) return
    if (job.outcome?.kind === 'failed') failure = 'unseen'
    if (!Notification.isSupported()) return
    const notification = new Notification(words)
    notification.on('click', () => {
      window()?.show()
      window()?.focus()
    })
    notification.show()
  }

  const end = ui.onJob((job) => {
    keepAwake()
    if (job.outcome !== null) notify(job)
    draw()
  })

  return {
    /** The window was looked at. */
    seen() {
      failure = 'seen'
      draw()
    },
    [Symbol.dispose]() {
      end()
      if (blocker !== null) powerSaveBlocker.stop(blocker)
    },
  }
}
