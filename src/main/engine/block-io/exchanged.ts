/**
 * Whether a hidden name still leads to what was made under it. It may lie in the folder of somebody else than who writes it,
 * root say, and they can rename what is there and put a link to any file in its place.
 */
import type { Stats } from 'node:fs'
import { DeviceError } from '#shared/errors'

export type FileIdentity = Pick<Stats, 'dev' | 'ino'>

/** Windows' calls for a name and for a descriptor needn't number the volume alike. */
export const isSameFile = (a: FileIdentity, b: FileIdentity): boolean =>
  a.ino === b.ino && (process.platform === 'win32' || a.dev === b.dev)

/** `now`: what lies at the hidden name, links not followed; null: nothing. Throws DeviceError E_DST_CHANGED, about `path`, where it isn't what was `made`. */
export function refuseExchanged(path: string, now: FileIdentity | null, made: FileIdentity): void {
  if (now === null || !isSameFile(now, made)) throw exchanged(path)
}

export const exchanged = (path: string): DeviceError =>
  new DeviceError('E_DST_CHANGED', `${path} was exchanged while it was written`, {
    details: { path, kind: 'file', when: 'writing' },
  })
