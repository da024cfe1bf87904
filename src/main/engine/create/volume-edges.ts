/**
 * The first and last bytes of a volume, where systems look for what owns it: Btrfs' superblock lies 64 KiB from the start,
 * VMFS' 1 or 2 MiB, the second header of LUKS2 up to 4 MiB; labels of RAID and ZFS in the last few hundred KiB. What a file system doesn't use of
 * them is zeros in an image instead of a hole: restored to a partition in the middle of a disk, a hole leaves there what
 * was there before, and the new volume would have two owners. It isn't read, for bad blocks may be among what is unused.
 */
export type Stretch = readonly [from: number, to: number]

const mib = 1024 ** 2
/** The furthest mark and the block it is in. */
const leadingBytes = 4 * mib + 4096
const trailingBytes = mib

/** Both ends of a volume, as stretches of its disk; one, when they meet. */
export function edgesOf(offset: number, sizeBytes: number): readonly Stretch[] {
  const end = offset + sizeBytes
  if (sizeBytes <= leadingBytes + trailingBytes) return [[offset, end]]
  return [
    [offset, offset + leadingBytes],
    // A file that stands for a disk may end anywhere.
    [Math.floor((end - trailingBytes) / 512) * 512, end],
  ]
}

export interface UnreadRow {
  readonly from: number
  readonly to: number
  readonly kind: 'zero' | 'ignore'
}

/**
 * What isn't read between `from` and `to`: zeros as far as it belongs to `edges`, which ascend and don't overlap, else ignored. To be asked
 * from the beginning of the disk to its end: there may be a million gaps.
 */
export function unreadRowsOf(edges: readonly Stretch[]): (from: number, to: number) => UnreadRow[] {
  /** Index of the first that doesn't end before what was asked for last. */
  let first = 0
  return (from, to) => {
    const rows: UnreadRow[] = []
    let at = from
    for (let index = first; index < edges.length; index++) {
      const [edgeFrom, edgeTo] = edges[index] ?? [to, to]
      if (edgeFrom >= to) break
      if (edgeTo <= from) first = index + 1
      const start = Math.max(at, edgeFrom)
      const end = Math.min(to, edgeTo)
      if (end <= start) continue
      if (start > at) rows.push({ from: at, to: start, kind: 'ignore' })
      rows.push({ from: start, to: end, kind: 'zero' })
      at = end
    }
    if (to > at) rows.push({ from: at, to, kind: 'ignore' })
    return rows
  }
}
