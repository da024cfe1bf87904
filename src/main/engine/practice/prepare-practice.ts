/**
 * Makes the Practice disk and the Practice image: a file of the size of a small disk, and a copy of our own little
 * image, so that anyone can do a whole restore without owning a spare disk.
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DeviceError } from '#shared/errors'

/** 64 MiB; as a file with a hole it takes no space until something is restored. */
export const practiceDiskBytes = 64 * 1024 * 1024

export interface PracticeOptions {
  readonly folder: string
  /** Our own image, to be copied. */
  readonly asset: string
  /** Make what is missing or has the wrong size; or both, whatever is there. */
  readonly renew: 'missing' | 'always'
}

/**
 * Full paths of both. Each appears whole or not at all, and replaces what had its name (a link is replaced, not
 * followed). Throws DeviceError E_NOT_FOUND when the asset isn't there, E_IO_WRITE when the folder can't be written.
 */
export async function preparePractice({
  folder,
  asset,
  renew,
}: PracticeOptions): Promise<{ disk: string; image: string }> {
  const disk = join(folder, 'Practice disk')
  const image = join(folder, 'Practice image.dmg')
  const assetBytes = await sizeOf(asset)
  if (assetBytes === null) {
    throw new DeviceError('E_NOT_FOUND', 'the Practice image was not installed', { details: { path: asset } })
  }
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    if (renew === 'always' || (await sizeOf(disk)) !== practiceDiskBytes) await replace(disk, createDisk)
    if (renew === 'always' || (await sizeOf(image)) !== assetBytes) {
      await replace(image, (path) => copyFile(asset, path, constants.COPYFILE_EXCL))
    }
  } catch (cause) {
    const { code: errno, message } = cause as NodeJS.ErrnoException
    throw new DeviceError('E_IO_WRITE', `the Practice disk cannot be made: ${message}`, {
      details: { path: folder, ...(errno === undefined ? {} : { errno }) },
      cause,
    })
  }
  return { disk, image }
}

async function createDisk(path: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.truncate(practiceDiskBytes)
}

/** Make it beside, then put it in place. */
async function replace(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.new`
  try {
    await make(temporary)
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Size of a plain file, null for anything else. */
async function sizeOf(path: string): Promise<number | null> {
  const facts = await lstat(path).catch(() => null)
  return facts?.isFile() ? facts.size : null
}
