/** Where relative paths begin: where the command was typed. */
import { usageError } from './arguments.ts'

/**
 * Of `npm run reprise` that isn't the folder this process is in, which is the checkout's: npm says where it was called. Throws
 * UsageError when the folder is gone.
 */
export function workingFolder(env: NodeJS.ProcessEnv, currentFolder: () => string): string {
  const calledFrom = env['npm_lifecycle_event'] === 'reprise' ? env['INIT_CWD'] : undefined
  if (calledFrom !== undefined && calledFrom !== '') return calledFrom
  try {
    return currentFolder()
  } catch {
    throw usageError('.', 'The folder that this was started in is gone.', 'Go to another one and try again.')
  }
}
