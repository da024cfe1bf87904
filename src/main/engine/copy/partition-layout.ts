/** One partition of the disk in an image, as if the image held nothing else. */
import { allocateExtentTable, findExtent, kindIndex, type ExtentLayout } from '#engine/formats/extents'
import { UsageError } from '#shared/errors'
import type { ImagePartition } from '#shared/model'

/**
 * What lies around the partition is cut off, and its first byte becomes the disk's first. Of the checksums those stay whose bytes
 * all lie inside. Throws UsageError E_UNSUPPORTED when the image called `name` ends before the partition does, or a compressed run
 * reaches across one of its borders: no such run can be cut.
 */
export function partitionLayout(
  whole: ExtentLayout,
  { index, offset, sizeBytes }: Pick<ImagePartition, 'index' | 'offset' | 'sizeBytes'>,
  name: string,
): ExtentLayout {
  const { fileCheck: _, ...layout } = whole
  const end = offset + sizeBytes
  if (end > layout.sizeBytes) throw notSeparable(name, index, 'goes on behind the end of the image')
  const from = layout.extents
  const first = findExtent(from, offset)
  const extents = allocateExtentTable(findExtent(from, end - 1) - first + 1)
  for (let row = 0; row < extents.count; row++) {
    const diskOffset = from.diskOffset[first + row] ?? 0
    const diskBytes = from.diskBytes[first + row] ?? 0
    const storedBytes = from.storedBytes[first + row] ?? 0
    const kind = from.kind[first + row] ?? 0
    const before = Math.max(0, offset - diskOffset)
    const kept = Math.min(diskOffset + diskBytes, end) - (diskOffset + before)
    const isRaw = kind === kindIndex.raw
    if (kept < diskBytes && !isRaw && storedBytes > 0)
      throw notSeparable(name, index, 'is compressed together with what lies beside it')
    extents.diskOffset[row] = diskOffset + before - offset
    extents.diskBytes[row] = kept
    extents.storedOffset[row] = (from.storedOffset[first + row] ?? 0) + (isRaw ? before : 0)
    // A raw run may store less than it covers: the rest is zeros.
    extents.storedBytes[row] = isRaw ? Math.min(storedBytes - before, kept) : storedBytes
    extents.kind[row] = kind
  }
  const checks = layout.checks
    .filter((check) => check.diskOffset >= offset && check.diskOffset + check.diskBytes <= end)
    .map((check) => ({ ...check, diskOffset: check.diskOffset - offset }))
  return { ...layout, sizeBytes, extents, checks, storedChecks: [] }
}

function notSeparable(name: string, index: number, why: string): UsageError {
  return new UsageError('E_UNSUPPORTED', `${name}: partition ${index} ${why}`, {
    details: {
      input: 'source',
      problem: `Partition ${index} of the image can't be restored by itself: it ${why}.`,
      hint: 'Restore the image to a whole disk.',
    },
  })
}
