/** What Electron's window needs of the system: the open and save panels. Files that are dropped come with their paths. */
import type { BrowserWindow, Dialog, OpenDialogOptions } from 'electron'
import { UsageError } from '#shared/errors'
import type { Shell } from '#main/ui-host'

/** Also what stands for a bundle, see below. */
const endings = [
  'dmg',
  'sparseimage',
  'sparsebundle',
  'img',
  'raw',
  'iso',
  'cdr',
  'gz',
  'bz2',
  'xz',
  'zst',
  'plist',
]

/** A Mac shows a sparse bundle as one file; elsewhere it is a folder, which a panel for files opens: any file in it stands for it. */
const bundleAround = (path: string): string | null => /^(.*\.sparsebundle)[/\\]/i.exec(path)?.[1] ?? null

/** `window` is the one to hang the panels on, where there is one. */
export function electronShell(
  dialog: Pick<Dialog, 'showOpenDialog' | 'showSaveDialog'>,
  window: () => BrowserWindow | null,
): Shell {
  const notHere = () => {
    const message = 'the system has an open panel of its own'
    return Promise.reject(new UsageError('E_UNSUPPORTED', message, { details: { input: 'files' } }))
  }
  const choose = async (options: OpenDialogOptions) => {
    const parent = window()
    const { canceled, filePaths } = await (parent === null
      ? dialog.showOpenDialog(options)
      : dialog.showOpenDialog(parent, options))
    const path = filePaths[0]
    return canceled || path === undefined
      ? ({ kind: 'dismissed' } as const)
      : ({ kind: 'chosen', path } as const)
  }
  return {
    host: 'electron',
    async chooseImage() {
      const chosen = await choose({
        title: 'Choose a Disk Image',
        properties: ['openFile'],
        filters: [
          { name: 'Disk images', extensions: endings },
          { name: 'All files', extensions: ['*'] },
        ],
      })
      return chosen.kind === 'chosen' ? { ...chosen, path: bundleAround(chosen.path) ?? chosen.path } : chosen
    },
    chooseFolder: () => choose({ title: 'Choose a Folder', properties: ['openDirectory'] }),
    chooseConfiguration: () =>
      choose({
        title: 'Open a Configuration',
        properties: ['openFile'],
        filters: [
          { name: 'Property lists', extensions: ['plist'] },
          { name: 'All files', extensions: ['*'] },
        ],
      }),
    async chooseTarget({ path }) {
      const options = {
        title: path.endsWith('.plist') ? 'Save the Configuration As' : 'Save the Image As',
        defaultPath: path,
        // On Linux the panel asks only when it is told to; elsewhere it always does.
        properties: ['createDirectory' as const, 'showOverwriteConfirmation' as const],
      }
      const parent = window()
      const { canceled, filePath } = await (parent === null
        ? dialog.showSaveDialog(options)
        : dialog.showSaveDialog(parent, options))
      return canceled || filePath === ''
        ? { kind: 'dismissed' }
        : { kind: 'chosen', path: filePath, replace: true }
    },
    listFiles: notHere,
    locateFile: notHere,
  }
}
