/**
 * Closing while a job runs asks once; then the jobs are stopped, and only when they have really stopped does the app
 * end. Nothing else keeps it.
 */
import type { BrowserWindow as Window } from 'electron'
import type { JobState } from '#shared/model'
import type { ElectronModules } from './electron-modules.ts'

export interface QuitOptions {
  readonly electron: Pick<ElectronModules, 'app' | 'dialog'>
  readonly jobs: () => readonly JobState[]
  readonly window: () => Window | null
  /** Stops the jobs, then everything else. */
  readonly end: () => Promise<void>
}

type State = 'open' | 'asking' | 'ending' | 'ended'

export function quitRules({ electron, jobs, window, end }: QuitOptions): {
  /** For the window's `close` and the app's `before-quit`. */
  onLeave(event: { preventDefault(): void }): void
} {
  const { app, dialog } = electron
  let state: State = 'open'

  const leave = async () => {
    state = 'ending'
    await end().catch(() => undefined)
    state = 'ended'
    app.quit()
  }

  const ask = async (running: readonly JobState[]) => {
    state = 'asking'
    const restoring = running.find((job) => job.kind === 'restore')
    const options = {
      type: 'warning' as const,
      buttons: ['Keep Going', 'Stop and Quit'],
      defaultId: 0,
      cancelId: 0,
      message:
        running.length === 1
          ? `${running[0]?.title} isn't finished.`
          : `${running.length} jobs aren't finished.`,
      detail:
        restoring === undefined
          ? 'If you quit now, it is stopped.'
          : 'If you quit now, the restore is stopped and the destination is left erased and empty.',
      noLink: true,
    }
    const parent = window()
    const { response } = await (parent === null
      ? dialog.showMessageBox(options)
      : dialog.showMessageBox(parent, options))
    if (response === 1) await leave()
    else state = 'open'
  }

  return {
    onLeave(event) {
      if (state === 'ended') return
      event.preventDefault()
      if (state !== 'open') return
      const running = jobs().filter((job) => job.outcome === null)
      if (running.length === 0) void leave()
      else void ask(running)
    },
  }
}
