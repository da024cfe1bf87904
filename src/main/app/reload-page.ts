/**
 * A page that crashed, or that the system ended for its memory, is loaded again: its window is where a restore is watched and
 * stopped. One that crashes again and again is left as it is.
 */
import type { BrowserWindow as Window } from 'electron'
import type { Logger } from '#shared/log'

const maxReloads = 3
const withinMs = 60_000

export function reloadCrashedPage(window: Window, url: string, log: Logger): void {
  let reloadsMs: readonly number[] = []
  window.webContents.on('render-process-gone', (_, { reason, exitCode }) => {
    if (reason === 'clean-exit') return
    log.error('the page crashed', { reason, exitCode })
    // Within the event a page can't be loaded (electron/electron#51900).
    setImmediate(() => {
      const nowMs = Date.now()
      reloadsMs = reloadsMs.filter((reloadMs) => nowMs - reloadMs < withinMs)
      if (window.isDestroyed() || reloadsMs.length >= maxReloads) return
      reloadsMs = [...reloadsMs, nowMs]
      // What keeps it from loading is told by the next event.
      window.loadURL(url).catch(() => undefined)
    })
  })
}
