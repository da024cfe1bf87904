/** What is done with the name of a new file, as opposed to its bytes: with this process's rights, or with a person's. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  type Stats,
} from 'node:fs'
import { link, lstat, readlink, realpath, rename, stat, unlink } from 'node:fs/promises'
import { UsageError } from '#shared/errors'
import { asOwner, type FileOwner } from './file-owner.ts'
import { createFileSink, openFileSink, syncFolder, type FileBlockSink } from './file-sink.ts'
import { errnoOf, openFailure } from './system-failure.ts'

/** Whose a file is, and who may do what with it. */
export type Permissions = Pick<Stats, 'uid' | 'gid' | 'mode'>

/** All reject with the system's own errors, but for `openNew`. */
export interface FileNames {
  /** Null when nothing is there, or it can't be seen. */
  stat(path: string): Promise<Stats | null>
  /** The same, of a link itself. */
  lstat(path: string): Promise<Stats | null>
  realpath(path: string): Promise<string>
  /** Where a link leads. */
  readlink(path: string): Promise<string>
  /** Make a file where nothing is; `isPrivate`: that nobody else may read. Throws what `openFileSink` throws. */
  openNew(path: string, isPrivate: boolean): Promise<FileBlockSink>
  /** What is open as `fd`; as much as may be done of it: owner, group and permissions. */
  makeLike(fd: number, old: Permissions): void
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** The folder's names are on the medium, where the file system can. */
  syncFolder(path: string): Promise<void>
}

/** By the descriptor: in somebody else's folder a path may lead to any file by now. */
export function makeLike(fd: number, { uid, gid, mode }: Permissions): void {
  asFarAsMay(() => fchownSync(fd, uid, gid))
  asFarAsMay(() => fchmodSync(fd, mode & 0o7777))
}

function asFarAsMay(work: () => void): void {
  try {
    work()
  } catch {
    return
  }
}

export const ownNames: FileNames = {
  stat: (path) => stat(path).catch(() => null),
  lstat: (path) => lstat(path).catch(() => null),
  realpath,
  readlink,
  openNew: (path, isPrivate) => openFileSink(path, { mode: 'create', caching: 'buffered', isPrivate }),
  makeLike,
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
    lstat: (path) => doing(() => lstatSync(path)).catch(() => null),
    realpath: (path) => doing(() => realpathSync(path)),
    readlink: (path) => doing(() => readlinkSync(path)),
    async openNew(path, isPrivate) {
      try {
        // Its bytes go through this very descriptor: where root's rights are squashed, as on NFS, it couldn't open the file again.
        const fd = asOwner(owner, () => openSync(path, newFile, isPrivate ? 0o600 : 0o644))
        return createFileSink(fd, path)
      } catch (error) {
        if (errnoOf(error) === 'EEXIST')
          throw new UsageError('E_DST_EXISTS', `${path} exists`, { details: { input: path }, cause: error })
        throw openFailure(error, path, 'destination')
      }
    },
    makeLike: (fd, { mode }) => asFarAsMay(() => asOwner(owner, () => fchmodSync(fd, mode & 0o7777))),
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
