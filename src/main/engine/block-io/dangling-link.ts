/**
 * A link that leads nowhere, as the name of a file to write: where it should lead may be a disk that isn't connected. It is
 * neither followed nor replaced, and that is said before any work is done.
 */
import { readlink } from 'node:fs/promises'
import { UsageError } from '#shared/errors'
import { errnoOf, openFailure } from './system-failure.ts'

/**
 * `path` was looked up, and nothing is there. Throws UsageError E_DST_KIND when that is because it is a link; DeviceError
 * E_NOT_FOUND where nothing can have that name. `readLink`: as the system's.
 */
export async function refuseDanglingLink(
  path: string,
  readLink: (path: string) => Promise<string> = readlink,
): Promise<void> {
  const leadsTo = await readLink(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENAMETOOLONG') throw openFailure(error, path, 'destination')
    return null
  })
  if (leadsTo === null) return
  throw new UsageError('E_DST_KIND', `${path} is a link to ${leadsTo}, which isn't there`, {
    details: {
      input: path,
      path,
      problem: `'${path}' is a link to '${leadsTo}', which isn't there.`,
      hint: 'Name the file itself, or remove the link. If it leads to a disk, connect that first.',
    },
  })
}
