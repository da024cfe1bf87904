/** Where relative paths begin: where the command was typed. */
import { join } from 'node:path'
import { usageError } from './arguments.ts'

/**
 * Of the checkout's own `npm run reprise` that isn't the folder this process is in, which is the checkout: npm says where it was
 * called. Scripts of other projects may have the same name, and are where they want to be. `ownManifest`: where the product's
 * package.json is. Throws UsageError when the folder is gone.
 */
export function workingFolder(
  env: NodeJS.ProcessEnv,
  currentFolder: () => string,
  ownManifest: () => string | null,
): string {
  const folder = existing(currentFolder)
  const calledFrom = env['npm_lifecycle_event'] === 'reprise' ? (env['INIT_CWD'] ?? '') : ''
  return calledFrom !== '' && join(folder, 'package.json') === ownManifest() ? calledFrom : folder
}

function existing(currentFolder: () => string): string {
  try {
    return currentFolder()
  } catch {
    throw usageError('.', 'The folder that this was started in is gone.', 'Go to another one and try again.')
  }
}
