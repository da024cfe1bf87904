/**
 * A folder that takes its name when all in it is complete: what `ReplacementFile` is for files. No system call that Node
 * can reach exchanges two folders, so replacing one is two renames:
 *
 *     1  the new folder is written under a hidden name and brought to the medium
 *     2  the old one gets a hidden name, the new one its name, and the folder that holds both is brought to the medium
 *     3  the old one gets another hidden name, which nobody looks for, and is removed
 *
 * Whenever this process or the machine stops, a whole old or a whole new folder is there. Stopped between the two renames,
 * it is the old one, under the name `.NAME.reprise-old`; whoever replaces NAME next gives it its name back first.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, mkdir, open, realpath, rename, rm, rmdir, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '#shared/errors'
import { refuseDanglingLink } from './dangling-link.ts'
import { refuseExchanged } from './exchanged.ts'
import { makeLike } from './file-names.ts'
import { syncFolder } from './file-sink.ts'
import { newestRetired, nextRetiredNumber, retiredPath } from './retired-path.ts'
import { errnoOf, openFailure } from './system-failure.ts'

export interface ReplacementFolder extends AsyncDisposable {
  /** Hidden, empty, and this process's own. */
  readonly path: string
  /**
   * Everything in it is complete and on the medium: give it its name. Throws DeviceError, E_DST_CHANGED when somebody exchanged it;
   * UsageError E_DST_EXISTS, E_DST_KIND when the folder that is there may not be replaced any more.
   */
  commit(): Promise<void>
}

export interface ReplacementFolderOptions {
  readonly mode: 'create' | 'replace'
  /** Whether the folder that is there may be replaced: a person could mean another one. */
  readonly isReplaceable: (path: string) => Promise<boolean>
}

/**
 * `create`: there must be nothing at `path`. `replace`: there may be a folder that `isReplaceable`. Throws UsageError
 * E_DST_EXISTS, E_DST_KIND; DeviceError E_NOT_FOUND (the folder it is to lie in), E_DENIED, E_DST_READONLY, E_DST_FULL.
 */
export async function openReplacementFolder(
  asked: string,
  { mode, isReplaceable }: ReplacementFolderOptions,
): Promise<ReplacementFolder> {
  // Behind a link: the link stays, what it leads to is replaced.
  const real = await realpath(asked).catch(() => null)
  if (real === null) await refuseDanglingLink(asked)
  // A folder may be called with a / at its end, and its hidden names are beside it.
  const path = real ?? join(dirname(asked), basename(asked))
  await recover(path)
  const old = await lstat(path).catch(() => null)
  if (old !== null && mode === 'create') throw exists(path)
  if (old !== null) await checkReplaceable(path, isReplaceable)
  const hidden = hiddenBeside(path)
  // What replaces somebody's folder is nobody else's business until it has that one's permissions.
  await mkdir(hidden, old === null ? {} : { mode: 0o700 }).catch((error: unknown) => {
    const place = errnoOf(error) === 'ENOENT' ? dirname(path) : path
    throw openFailure(error, place, 'destination')
  })
  const made = await openMade(hidden)
  let isHidden = true
  return {
    path: hidden,
    async commit() {
      // The folder was somebody's.
      if (old !== null && made !== null) makeLike(made.fd, old)
      if (made !== null) refuseExchanged(path, await lstat(hidden).catch(() => null), await made.stat())
      // All that is in it goes: somebody may have put something there while this was written.
      if (old !== null) await checkReplaceable(path, isReplaceable)
      const retired = old === null ? null : retiredPath(path, await nextRetiredNumber([path]))
      await takeName(hidden, path, retired)
      isHidden = false
      await syncFolder(dirname(path))
      // What can't be removed any more does no harm: it isn't found under the name.
      if (retired !== null) await discard(retired).catch(() => undefined)
    },
    async [Symbol.asyncDispose]() {
      await made?.close().catch(() => undefined)
      if (isHidden) await rm(hidden, { recursive: true, force: true }).catch(() => undefined)
    },
  }
}

async function checkReplaceable(
  path: string,
  isReplaceable: ReplacementFolderOptions['isReplaceable'],
): Promise<void> {
  const stats = await lstat(path).catch(() => null)
  // What is gone is in nobody's way.
  if (stats !== null && !(stats.isDirectory() && (await isReplaceable(path)))) throw notReplaceable(path)
}

/** The folder that was just made at `path`. Null on Windows, which opens none. */
async function openMade(path: string): Promise<FileHandle | null> {
  if (process.platform === 'win32') return null
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    await rmdir(path).catch(() => undefined)
    throw openFailure(error, path, 'destination')
  }
}

/** `retired`: the hidden name for the folder that is there; null: there is none. */
async function takeName(hidden: string, path: string, retired: string | null): Promise<void> {
  let isRetired = false
  try {
    if (retired === null) {
      if ((await lstat(path).catch(() => null)) !== null) throw exists(path)
    } else {
      await rename(path, retired)
      isRetired = true
      // The old folder's new name must be known to the medium before anything else changes.
      await syncFolder(dirname(path))
    }
    await rename(hidden, path)
  } catch (error) {
    if (isRetired && retired !== null) await rename(retired, path).catch(() => undefined)
    if (errnoOf(error) === 'ENOTEMPTY' || errnoOf(error) === 'EEXIST') throw exists(path)
    throw openFailure(error, path, 'destination')
  }
}

/** Half removed it would still open as an image, so by then no recovery may find it. */
async function discard(retired: string): Promise<void> {
  const hidden = hiddenBeside(retired)
  await rename(retired, hidden)
  await syncFolder(dirname(retired))
  await rm(hidden, { recursive: true, force: true })
}

/** Somebody was stopped between the two renames. */
async function recover(path: string): Promise<void> {
  if ((await lstat(path).catch(() => null)) !== null) return
  const number = await newestRetired(path)
  if (number === null) return
  await rename(retiredPath(path, number), path).catch((error: unknown) => {
    throw openFailure(error, path, 'destination')
  })
}

const hiddenBeside = (path: string) => join(dirname(path), `.reprise-${randomBytes(6).toString('hex')}.part`)

const exists = (path: string) =>
  new UsageError('E_DST_EXISTS', `${path} exists`, { details: { input: path, path } })

const notReplaceable = (path: string) =>
  new UsageError('E_DST_KIND', `${path} is something else`, {
    details: {
      input: path,
      path,
      problem: `'${path}' is there and isn't a sparse bundle, or holds other things, too: it won't be replaced by one.`,
      hint: 'Choose another name.',
    },
  })
