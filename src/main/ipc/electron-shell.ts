/** What Electron's window needs of the system: the open panel. Files that are dropped come with their paths. */
import type { BrowserWindow, Dialog } from 'electron'
import { UsageError } from '#shared/errors'
import type { Shell } from '#main/ui-host'

/** `window` is the one to hang the panel on, where there is one. */
export function electronShell(
  dialog: Pick<Dialog, 'showOpenDialog'>,
  window: () => BrowserWindow | null,
): Shell {
  const notHere = () => {
    const message = 'the system has an open panel of its own'
    return Promise.reject(new UsageError('E_UNSUPPORTED', message, { details: { input: 'files' } }))
  }
  return {
    host: 'electron',
    async chooseImage() {
      const options = {
        title: 'Choose a Disk Image',
        properties: ['openFile' as const],
        filters: [
          { name: 'Disk images', extensions: ['dmg', 'img', 'raw', 'iso', 'cdr', 'gz', 'bz2', 'xz', 'zst'] },
          { name: 'All files', extensions: ['*'] },
        ],
      }
      const parent = window()
      const { canceled, filePaths } = await (parent === null
        ? dialog.showOpenDialog(options)
        : dialog.showOpenDialog(parent, options))
      const path = filePaths[0]
      return canceled || path === undefined ? { kind: 'dismissed' } : { kind: 'chosen', path }
    },
    listFiles: notHere,
    locateFile: notHere,
  }
}
