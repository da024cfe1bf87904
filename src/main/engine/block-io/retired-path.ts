/** The hidden name of something that is being replaced by something of the same name, in the same folder. */
import { lstat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

export const retiredMark = '.reprise-old'

/** Where whoever was stopped in the middle left it: see `replacement-folder.ts` and `name-together.ts`. */
export const retiredPath = (path: string): string => join(dirname(path), `.${basename(path)}${retiredMark}`)

/** The same, or with a number where something has that name: it may be all that is left of it. */
export async function freeRetiredPath(path: string): Promise<string> {
  for (let number = 1; ; number++) {
    const retired = number === 1 ? retiredPath(path) : `${retiredPath(path)}-${number}`
    if ((await lstat(retired).catch(() => null)) === null) return retired
  }
}
