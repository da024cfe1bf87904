/**
 * An image's disk made larger or smaller where it is. Nothing of a partition or a file system is ever cut off. The order of
 * the writes is what keeps the disk whole when they stop in the middle (power, a full disk, a kill):
 *
 *     larger      size · new backup of the map · the map's first header · the old backup cleared
 *     smaller            new backup of the map · the map's first header · size
 *
 * with all of one on the medium before the next. A failure up to the new backup of a larger disk leaves the image as it was. A sparse image file is written anew to become smaller, which is all of it at once. File
 * systems stay as large as they are.
 */
import type { JobContext } from '#engine/job'
import { UsageError } from '#shared/errors'
import type { ImageResizing, ResizeRequest } from '#shared/model'
import { formatBytes, formatCount, sectorBytes } from '#shared/units'
import { examineImage, readStoredBytes, type ResizeDeps } from './examine-image.ts'
import { growDisk, writeAll } from './grow-disk.ts'
import { openResizableDisk } from './resizable-disk.ts'
import { readSizeLimits, type LimitReason } from './smallest-size.ts'

/**
 * Throws UsageError E_USAGE for a size that isn't whole sectors, or is too small or too large (`details`: `smallestBytes`, `largestBytes`), E_UNSUPPORTED
 * for an image of another kind; FormatError; DeviceError E_DST_BUSY for one that is attached, E_DST_FULL, …; the signal's
 * reason before anything was written.
 */
export async function resizeImage(
  { path, sizeBytes }: ResizeRequest,
  deps: ResizeDeps,
  context: JobContext,
): Promise<ImageResizing> {
  const { signal } = context
  context.enter('validating-source')
  checkUnit(sizeBytes, sectorBytes)
  const { kind, storedBytes: storedBeforeBytes } = await examineImage(path, deps, signal)
  await using disk = await (deps.openDisk ?? openResizableDisk)(path, kind)
  const beforeBytes = disk.sizeBytes
  const { map, smallestBytes, why } = await readSizeLimits(disk, sizeBytes, signal)
  // Of the size it has, a disk whose map is of another needs the room for it, too.
  const changesDisk = sizeBytes !== beforeBytes || map?.fits === false
  if (sizeBytes < smallestBytes && changesDisk) throw tooSmall(path, smallestBytes, why)
  if (map !== null) checkUnit(sizeBytes, map.sectorBytes)
  if (map !== null && sizeBytes > map.largestBytes) throw tooLarge(path, map.largestBytes)

  signal.throwIfAborted()
  const written = disk.storesZeros && sizeBytes > beforeBytes ? sizeBytes - beforeBytes : null
  context.enter('resizing', written)
  const options = { signal, advance: (doneBytes: number) => context.advance(doneBytes) }
  const changed = () => context.changed()
  if (changesDisk) {
    const changes = map?.changesFor(sizeBytes) ?? { prepare: [], commit: [], clear: [] }
    if (sizeBytes < beforeBytes && disk.shrinkAnew !== null)
      await disk.shrinkAnew(sizeBytes, [...changes.prepare, ...changes.commit], options)
    else {
      if (sizeBytes > beforeBytes) {
        await growDisk(disk, sizeBytes, changes.prepare, { ...options, changed })
        changed()
      } else {
        changed()
        await writeAll(disk, changes.prepare)
      }
      await writeAll(disk, changes.commit)
      if (sizeBytes < beforeBytes) await disk.setSize(sizeBytes, options)
      else await writeAll(disk, changes.clear)
    }
  }
  return {
    path,
    beforeBytes,
    afterBytes: sizeBytes,
    storedBeforeBytes,
    storedBytes: await readStoredBytes(path),
  }
}

function checkUnit(sizeBytes: number, unit: number): void {
  if (Number.isSafeInteger(sizeBytes) && sizeBytes > 0 && sizeBytes % unit === 0) return
  const problem = `A disk has whole sectors of ${formatCount(unit)} bytes.`
  const hint = `Give a multiple of ${formatCount(unit)} bytes; 16m is one.`
  throw new UsageError('E_USAGE', problem, { details: { input: 'size', problem, hint, sizeBytes } })
}

const limitHints: { readonly [why in LimitReason]: string } = {
  'ends-there': 'A partition, a file system or other data ends there, and nothing of it is cut off.',
  'content-unknown':
    "The disk has no partition map, and what is on it isn't known: nothing tells how much of the disk that needs, so all of it stays.",
  'sectors-unknown':
    'Nothing tells whether its partition map counts sectors of 512 or of 4,096 bytes. With the larger ones a partition ends there, and nothing of it is cut off.',
}

function tooSmall(path: string, smallestBytes: number, why: LimitReason): UsageError {
  const problem = `The image can't be smaller than ${formatBytes(smallestBytes)} (${formatCount(smallestBytes)} bytes).`
  return new UsageError('E_USAGE', problem, {
    details: { input: 'size', path, problem, hint: limitHints[why], smallestBytes },
  })
}

function tooLarge(path: string, largestBytes: number): UsageError {
  const problem = `The image can't be larger than ${formatBytes(largestBytes)} (${formatCount(largestBytes)} bytes).`
  const hint = "Its Apple partition map can't say more."
  return new UsageError('E_USAGE', problem, { details: { input: 'size', path, problem, hint, largestBytes } })
}
