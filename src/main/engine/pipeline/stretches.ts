/**
 * Which parts of a disk pass through the pool. An image's rows say what every byte is; what is moved are *stretches*:
 * whole alignment units that hold data, grown over small gaps of zeros and unused space between them, which are cheaper
 * to send than to skip. What lies between stretches takes no room and no time.
 */
import { kindIndex, type ExtentTable } from '#engine/formats/extents'

/** Ascending, apart from one another, in shared memory. Offsets in bytes. */
export interface Stretches {
  readonly count: number
  readonly start: Float64Array<SharedArrayBuffer>
  /** Exclusive. A whole number of alignment units, or the end of the disk. */
  readonly end: Float64Array<SharedArrayBuffer>
}

export interface StretchOptions {
  readonly sizeBytes: number
  /** Stretches begin and end at multiples of this, or at the end of the disk. */
  readonly alignmentBytes: number
  /** Gaps shorter than this become data. */
  readonly foldBytes: number
}

/** The stretches of a table whose rows cover 0 to `sizeBytes`. */
export function planStretches(table: ExtentTable, options: StretchOptions): Stretches {
  const count = walkStretches(table, options, () => undefined)
  const column = () => new Float64Array(new SharedArrayBuffer(count * 8))
  const stretches = { count, start: column(), end: column() }
  walkStretches(table, options, (index, start, end) => {
    stretches.start[index] = start
    stretches.end[index] = end
  })
  return stretches
}

function walkStretches(
  { count, diskOffset, diskBytes, kind }: ExtentTable,
  { sizeBytes, alignmentBytes, foldBytes }: StretchOptions,
  emit: (index: number, start: number, end: number) => void,
): number {
  let found = 0
  let start = 0
  let end = -1
  for (let row = 0; row < count; row++) {
    if (kind[row] === kindIndex.zero || kind[row] === kindIndex.ignore) continue
    const from = diskOffset[row] ?? 0
    const to = from + (diskBytes[row] ?? 0)
    if (to <= from) continue
    const alignedFrom = from - (from % alignmentBytes)
    if (end < 0) start = alignedFrom < foldBytes ? 0 : alignedFrom
    else if (alignedFrom - end >= foldBytes) {
      emit(found++, start, end)
      start = alignedFrom
    }
    end = Math.min(sizeBytes, Math.ceil(to / alignmentBytes) * alignmentBytes)
  }
  if (end < 0) return 0
  emit(found++, start, sizeBytes - end < foldBytes ? sizeBytes : end)
  return found
}

/** The first stretch that ends after `offset`; `count` when there is none. Binary search. */
export function firstStretchEndingAfter({ count, end }: Stretches, offset: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((end[middle] ?? 0) > offset) high = middle
    else low = middle + 1
  }
  return low
}
