/** What can be scanned, found out before anything is read: a scan takes as long as reading the image. */
import { constants, type Stats } from 'node:fs'
import { open, realpath, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openFailure, openReplacementFile } from '#engine/block-io'
import type { ExtentLayout } from '#engine/formats/extents'
import type { OpenImage } from '#engine/formats/image'
import { DeviceError, UsageError } from '#shared/errors'

/** A file in one state. Another file is another one also where its size and its time are the same. */
export interface FileState {
  readonly device: number
  readonly inode: number
  readonly sizeBytes: number
  readonly modifiedMs: number
}

/**
 * Throws UsageError E_UNSUPPORTED for an image that has no place for a scan or whose file can't be changed in place: raw ones,
 * sparse ones, encrypted ones.
 */
export function checkHoldsScan(
  { info, layout }: OpenImage,
  verb: 'scanned' | 'given checksums',
): ExtentLayout {
  const { path, name, tables } = info
  const refuse = (problem: string, hint: string) =>
    new UsageError('E_UNSUPPORTED', problem, { details: { input: path, problem, hint } })
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path))
    throw refuse(
      `'${name}' is on a web server and can't be ${verb} there.`,
      'Scan a copy of it on this computer.',
    )
  if (tables.length === 0 || layout.kind !== 'extents')
    throw refuse(
      `'${name}' can't be ${verb}: only UDIF images (.dmg) have a place for it.`,
      'Convert it first: reprise image convert --format UDZO.',
    )
  if (layout.parts.some((part) => 'cipher' in part && part.cipher !== undefined))
    throw refuse(
      `'${name}' is encrypted and can't be ${verb}.`,
      'Convert it to an image without encryption, and scan that.',
    )
  return layout
}

/** Throws DeviceError E_DENIED, E_DST_READONLY, … when the file at `path` can't be written. */
export async function checkWritable(path: string): Promise<FileState> {
  try {
    await using file = await open(path, constants.O_RDWR | constants.O_NONBLOCK)
    return stateOf(await file.stat())
  } catch (error) {
    throw openFailure(error, path, 'destination')
  }
}

/** Throws DeviceError E_SRC_CHANGED when the file isn't what it was, or isn't there any more. */
export async function checkUnchanged(path: string, before: FileState): Promise<void> {
  const about = await stat(path).catch(() => null)
  const now = about === null ? null : stateOf(about)
  const parts = ['device', 'inode', 'sizeBytes', 'modifiedMs'] as const
  if (now !== null && parts.every((part) => now[part] === before[part])) return
  throw new DeviceError('E_SRC_CHANGED', `${path} was changed while it was scanned`, { details: { path } })
}

const stateOf = ({ dev, ino, size, mtimeMs }: Stats): FileState => ({
  device: dev,
  inode: ino,
  sizeBytes: size,
  modifiedMs: mtimeMs,
})

/**
 * Throws DeviceError E_DENIED, E_DST_READONLY, … when nothing can be written where the file at `path` lies, behind a link or not;
 * E_DST_FULL when there is no room for `neededBytes` more.
 */
export async function checkReplaceable(path: string, neededBytes: number): Promise<void> {
  // What is opened and not committed leaves nothing.
  await using _ = await openReplacementFile(path, { mode: 'replace' })
  const { bavail, bsize } = await statfs(dirname(await realpath(path)))
  const availableBytes = bavail * bsize
  if (availableBytes >= neededBytes) return
  throw new DeviceError('E_DST_FULL', `no room for ${neededBytes} bytes beside ${path}`, {
    details: { path, neededBytes, availableBytes },
  })
}
