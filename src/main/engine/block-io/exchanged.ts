/**
 * Whether a hidden name still leads to what was made under it. It may lie in the folder of somebody else than who writes it,
 * root say, and they can rename what is there and put a link to any file in its place.
 */
import { constants, type Stats } from 'node:fs'
import { DeviceError } from '#shared/errors'

/** What it is by `fstat` or `lstat`. */
export type FileIdentity = Pick<Stats, 'dev' | 'ino' | 'mode' | 'nlink' | 'uid'>

const typeOf = ({ mode }: FileIdentity): number => mode & constants.S_IFMT

/**
 * It may be what was made; what else it could be is the same owner's, and has no other name. The number of a file says nothing:
 * FAT and exFAT give it another one when it was forgotten meanwhile. A folder is kept open, and its number with it.
 */
export function isSameFile(now: FileIdentity, made: FileIdentity): boolean {
  // Windows' calls for a name and for a descriptor needn't number the volume alike.
  if (process.platform !== 'win32' && now.dev !== made.dev) return false
  if (typeOf(now) !== typeOf(made) || now.uid !== made.uid) return false
  return typeOf(made) === constants.S_IFDIR ? now.ino === made.ino : now.nlink === 1
}

/** `now`: what lies at the hidden name, links not followed; null: nothing. Throws DeviceError E_DST_CHANGED, about `path`, where it isn't what was `made`. */
export function refuseExchanged(path: string, now: FileIdentity | null, made: FileIdentity): void {
  if (now === null || !isSameFile(now, made)) throw exchanged(path)
}

export const exchanged = (path: string): DeviceError =>
  new DeviceError('E_DST_CHANGED', `${path} was exchanged while it was written`, {
    details: { path, kind: 'file', when: 'writing' },
  })
