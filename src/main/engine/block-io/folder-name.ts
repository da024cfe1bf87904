/**
 * `images/` is a folder, whatever is at that name: who types that as the name of a file to write means a folder that isn't there, or
 * forgot the rest. A file called `images` would be neither.
 */
import { sep } from 'node:path'
import { UsageError } from '#shared/errors'

/** `path` was looked up, and no folder is there. Throws UsageError E_DST_KIND when it could only be one. */
export function refuseFolderName(path: string): void {
  if (!path.endsWith('/') && !path.endsWith(sep)) return
  throw new UsageError('E_DST_KIND', `${path} is the name of a folder, and there is none`, {
    details: {
      input: path,
      path,
      problem: `'${path}' is the name of a folder, and there is no such folder.`,
      hint: `To write a file of that name, leave the ${path.slice(-1)} at its end out.`,
    },
  })
}
