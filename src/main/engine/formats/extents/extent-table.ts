/**
 * Where every byte of an image comes from. All image formats end in this one table, so that the pipeline doesn't know
 * formats. Columns lie in shared memory: worker threads read them without copies, and two million rows cost 66 MB.
 */
import type { RunKind } from '#shared/model'
import { runKinds } from '#shared/model'

/**
 * Rows ascend by `diskOffset`, don't overlap and leave no gap from 0 to the image's size (a gap in the file becomes an
 * `ignore` row). Offsets and lengths are bytes, whole sectors on the disk side.
 */
export interface ExtentTable {
  readonly count: number
  readonly diskOffset: Float64Array<SharedArrayBuffer>
  readonly diskBytes: Float64Array<SharedArrayBuffer>
  /** Offset in the stored stream (see `StoredPart`); meaningless for zero and ignore rows. */
  readonly storedOffset: Float64Array<SharedArrayBuffer>
  /**
   * Of a raw row: as many as `diskBytes`, except that the last row of a raw image whose size isn't whole sectors has
   * fewer (at least one): the rest of that sector reads as zeros.
   */
  readonly storedBytes: Float64Array<SharedArrayBuffer>
  /** Index into `runKinds`. */
  readonly kind: Uint8Array<SharedArrayBuffer>
}

/** Room for `count` rows, all zero. */
export function allocateExtentTable(count: number): ExtentTable {
  const column = () => new Float64Array(new SharedArrayBuffer(count * 8))
  return {
    count,
    diskOffset: column(),
    diskBytes: column(),
    storedOffset: column(),
    storedBytes: column(),
    kind: new Uint8Array(new SharedArrayBuffer(count)),
  }
}

export const kindIndex: { readonly [kind in RunKind]: number } = Object.fromEntries(
  runKinds.map((kind, index) => [kind, index]),
) as { [kind in RunKind]: number }

/** The row that covers `offset`; -1 past the end. Binary search. */
export function findExtent(table: ExtentTable, offset: number): number {
  let low = 0
  let high = table.count - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const start = table.diskOffset[middle] ?? 0
    if (offset < start) high = middle - 1
    else if (offset >= start + (table.diskBytes[middle] ?? 0)) low = middle + 1
    else return middle
  }
  return -1
}
