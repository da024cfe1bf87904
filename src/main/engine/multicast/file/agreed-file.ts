/**
 * What somebody agreed to lose when a stream's image takes its name: one certain file, or nothing. Receiving takes long, and whatever
 * got that name meanwhile stays.
 */
import { constants, type Stats } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { errnoOf, openFailure } from '#engine/block-io'
import { DeviceError, UsageError } from '#shared/errors'

export interface AgreedFile extends AsyncDisposable {
  /**
   * In the end, right before that is done: whether the file is still there to be replaced; where none was agreed to, whether the
   * name is still free. Throws UsageError E_DST_EXISTS, E_DST_KIND; DeviceError E_DST_CHANGED where something else has it by now.
   */
  isThere(): Promise<boolean>
}

/** Of a target: its path, and the file's number where there is one. */
export const fileIdentity = (path: string, file: Pick<Stats, 'dev' | 'ino'> | null): string =>
  `file:${path}${file === null ? '' : `:${file.dev}:${file.ino}`}`

/** What lies at `path` must be what `identity` says, which the plan was made with. Throws like `isThere`. */
export async function holdAgreed(path: string, identity: string, erase: boolean): Promise<AgreedFile> {
  const old = await factsOf(path)
  if (old !== null && fileIdentity(path, old) !== identity) throw another(path, old, erase)
  // FAT and exFAT give a file another number when it was forgotten meanwhile; one that is open isn't.
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  let held = old === null ? null : await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => null)
  const letGo = async () => {
    await held?.close()
    held = null
  }
  return {
    async isThere() {
      const now = await factsOf(path)
      // A file server may refuse to replace one that is open.
      await letGo()
      if (now !== null && (old === null || now.dev !== old.dev || now.ino !== old.ino))
        throw another(path, now, erase)
      return now !== null
    },
    [Symbol.asyncDispose]: letGo,
  }
}

async function factsOf(path: string): Promise<Stats | null> {
  try {
    return await lstat(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null
    throw openFailure(error, path, 'destination')
  }
}

function another(path: string, now: Stats, erase: boolean): UsageError | DeviceError {
  if (!now.isFile())
    return new UsageError('E_DST_KIND', `${path} is not a plain file`, {
      details: { input: 'target', path, what: 'not a plain file' },
    })
  if (!erase)
    return new UsageError('E_DST_EXISTS', `${path} exists by now, and Erase wasn't given`, {
      details: { input: 'erase', path },
    })
  return new DeviceError('E_DST_CHANGED', `${path} isn't what it was when the plan was made`, {
    details: { path, kind: 'file', what: 'contents' },
  })
}
