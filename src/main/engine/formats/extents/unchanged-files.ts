/**
 * Whether somebody wrote to an image's files while it was read. What holds checksums of all it stores was checked by them, and
 * touching such a file does no harm; of a raw image nothing else would tell that half of it is from before and half from after.
 */
import { stat } from 'node:fs/promises'
import { isWebLocator, type SourceChecksums } from '#shared/model'
import { DeviceError } from '#shared/errors'
import { kindIndex } from './extent-table.ts'
import { fileStamp, type ExtentLayout, type ImageLayout } from './image-layout.ts'

/**
 * With what the image is compared while it is read; what lies beside it before what is in it. gzip and bzip2 always hold checksums; xz
 * and zstd may be told not to, but their tools' defaults do.
 */
export function checksumsOf(layout: ImageLayout): SourceChecksums {
  if (layout.fileCheck !== undefined) return 'beside'
  if (layout.kind === 'stream') return layout.unchecked === true ? 'none' : 'inside'
  if (layout.checks.length === 0) return 'none'
  return isCovered(layout) ? 'inside' : 'partly'
}

/** All that is read is compared with something, and so is never a mixture of what was there before and after. */
export const vouchForAll = (checksums: SourceChecksums): boolean =>
  checksums === 'inside' || checksums === 'beside'

/** Every row that is read lies in ranges with a checksum. */
function isCovered({ extents, checks }: ExtentLayout): boolean {
  const { count, kind, diskOffset, diskBytes } = extents
  let range = 0
  for (let row = 0; row < count; row++) {
    if (kind[row] === kindIndex.zero || kind[row] === kindIndex.ignore) continue
    let at = diskOffset[row] ?? 0
    const end = at + (diskBytes[row] ?? 0)
    while (at < end) {
      const check = checks[range]
      if (check === undefined || check.diskOffset > at) return false
      // Both ascend.
      if (check.diskOffset + check.diskBytes <= at) range += 1
      else at = check.diskOffset + check.diskBytes
    }
  }
  return true
}

/** Files as they were. */
export interface RememberedFiles {
  /** Throws DeviceError E_SRC_CHANGED for one that is another now. One that is gone was held open, and is what it was. */
  checkUnchanged(): Promise<void>
}

/** To be asked before the first byte is read, and again after the last. What isn't a file here isn't looked at. */
export async function rememberFiles(paths: Iterable<string>): Promise<RememberedFiles> {
  const stamps = new Map<string, string>()
  for (const path of new Set(paths)) {
    const stamp = await stampOf(path)
    if (stamp !== null) stamps.set(path, stamp)
  }
  return {
    async checkUnchanged() {
      for (const [path, before] of stamps) {
        const now = await stampOf(path)
        if (now !== null && now !== before)
          throw new DeviceError('E_SRC_CHANGED', `${path} was written to while it was read`, {
            details: { path, when: 'reading', expected: before, found: now },
          })
      }
    },
  }
}

async function stampOf(path: string): Promise<string | null> {
  if (isWebLocator(path)) return null
  const facts = await stat(path).catch(() => null)
  return facts?.isFile() === true ? fileStamp(facts) : null
}
