/** What is done with the name of a new file, as opposed to its bytes: with this process's rights, or with a person's. */
import {
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  type Stats,
} from 'node:fs'
import { chmod, chown, link, readlink, realpath, rename, stat, unlink } from 'node:fs/promises'
import { UsageError } from '#shared/errors'
import type { BlockSink } from './block-sink.ts'
import { asOwner, type FileOwner } from './file-owner.ts'
import { openFileSink, syncFolder } from './file-sink.ts'
import { errnoOf, openFailure } from './system-failure.ts'

/** Whose a file is, and who may do what with it. */
export type Permissions = Pick<Stats, 'uid' | 'gid' | 'mode'>

/** All reject with the system's own errors, but for `openNew`. */
export interface FileNames {
  /** Null when nothing is there, or it can't be seen. */
  stat(path: string): Promise<Stats | null>
  realpath(path: string): Promise<string>
  /** Where a link leads. */
  readlink(path: string): Promise<string>
  /** Make a file where nothing is; `isPrivate`: that nobody else may read. Throws what `openFileSink` throws. */
  openNew(path: string, isPrivate: boolean): Promise<BlockSink>
  /** As much as may be done of it: owner, group and permissions. */
  makeLike(path: string, old: Permissions): Promise<void>
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** The folder's names are on the medium, where the file system can. */
  syncFolder(path: string): Promise<void>
}

export const ownNames: FileNames = {
  stat: (path) => stat(path).catch(() => null),
  realpath,
  readlink,
  openNew: (path, isPrivate) => openFileSink(path, { mode: 'create', caching: 'buffered', isPrivate }),
  async makeLike(path, { uid, gid, mode }) {
    await chown(path, uid, gid).catch(() => undefined)
    await chmod(path, mode & 0o7777).catch(() => undefined)
  },
  link,
  rename,
  unlink,
  syncFolder,
}

const newFile = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** With the rights of `owner`, whose the files will be. For root on Linux. */
export function namesOf(owner: FileOwner): FileNames {
  const doing = async <T>(work: () => T): Promise<T> => asOwner(owner, work)
  return {
    stat: (path) => doing(() => statSync(path)).catch(() => null),
    realpath: (path) => doing(() => realpathSync(path)),
    readlink: (path) => doing(() => readlinkSync(path)),
    async openNew(path, isPrivate) {
      let fd: number
      try {
        fd = asOwner(owner, () => openSync(path, newFile, isPrivate ? 0o600 : 0o644))
      } catch (error) {
        if (errnoOf(error) === 'EEXIST')
          throw new UsageError('E_DST_EXISTS', `${path} exists`, { details: { input: path }, cause: error })
        throw openFailure(error, path, 'destination')
      }
      try {
        // By the descriptor, and not by the path: that may lead somewhere else by now.
        return await openFileSink(`/proc/self/fd/${fd}`, { mode: 'overwrite', caching: 'buffered' })
      } finally {
        closeSync(fd)
      }
    },
    makeLike: (path, { mode }) => doing(() => chmodSync(path, mode & 0o7777)).catch(() => undefined),
    link: (from, to) => doing(() => linkSync(from, to)),
    rename: (from, to) => doing(() => renameSync(from, to)),
    unlink: (path) => doing(() => unlinkSync(path)),
    syncFolder: (path) =>
      doing(() => {
        const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
        try {
          fsyncSync(fd)
        } finally {
          closeSync(fd)
        }
      }).catch(() => undefined),
  }
}
