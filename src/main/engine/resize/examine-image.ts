/** What an image is to whoever wants to change the size of its disk or of its files. */
import { stat } from 'node:fs/promises'
import { openImage, type OpenImage } from '#engine/formats/image'
import { readBundleFiles } from '#engine/formats/sparse'
import type { Platform } from '#engine/platform'
import { DeviceError, FormatError, UsageError } from '#shared/errors'
import type { openResizableDisk } from './resizable-disk.ts'

export interface ResizeDeps {
  readonly platform: Pick<Platform, 'list'>
  /** `openResizableDisk` but in tests. */
  readonly openDisk?: typeof openResizableDisk
}

export interface ExaminedImage {
  readonly kind: 'raw' | 'UDSP' | 'UDSB'
  readonly storedBytes: number
}

/**
 * Throws UsageError E_UNSUPPORTED for an image of another kind, or a file encrypted as version 1; DeviceError E_DST_BUSY for one
 * that is attached as a disk; what opening it throws.
 */
export async function examineImage(
  path: string,
  { platform }: ResizeDeps,
  signal: AbortSignal,
): Promise<ExaminedImage> {
  const { info } = await openUnlocked(path, signal)
  const { format } = info
  const kind = format === 'UDRW' ? 'raw' : format
  if (kind !== 'raw' && kind !== 'UDSP' && kind !== 'UDSB') throw wrongKind(path, 'other')
  if (info.encrypted?.version === 1 && kind !== 'UDSB') throw wrongKind(path, 'version-1')
  const own = await stat(path)
  for (const disk of await platform.list(signal)) {
    if (disk.bus === 'file' || disk.backingFile === null) continue
    const behind = await stat(disk.backingFile).catch(() => null)
    if (behind?.dev === own.dev && behind.ino === own.ino)
      throw new DeviceError('E_DST_BUSY', `${path} is attached as ${disk.path}`, {
        details: { path, holders: [disk.path] },
      })
  }
  return { kind, storedBytes: await readStoredBytes(path) }
}

/** Nobody has to give a password to be told that it won't help. */
async function openUnlocked(path: string, signal: AbortSignal): Promise<OpenImage> {
  try {
    return await openImage(path, { signal })
  } catch (error) {
    const isVersion1 = error instanceof FormatError && error.details.format === 'cdsaencr'
    if (isVersion1 && error.code === 'E_SRC_ENCRYPTED') throw wrongKind(path, 'version-1')
    throw error
  }
}

/** All files of the image. */
export async function readStoredBytes(path: string): Promise<number> {
  const about = await stat(path)
  return about.isDirectory() ? (await readBundleFiles(path)).storedBytes : about.size
}

function wrongKind(path: string, why: 'other' | 'version-1'): UsageError {
  const problem =
    why === 'version-1'
      ? "An image that is encrypted in the oldest way (version 1) can't be resized or compacted."
      : 'Only raw images, sparse images and sparse bundles can be resized or compacted.'
  const hint = 'Convert the image first: to raw, UDSP or UDSB.'
  return new UsageError('E_UNSUPPORTED', problem, {
    details: { input: path, path, problem, hint },
  })
}
