/**
 * What of a disk has to be read: its partition map, what no partition covers, of each partition what its file system uses,
 * and all of those that aren't understood.
 */
import { readUsedBlocks, UsedRanges } from '#engine/formats/filesystem'
import { readDiskContents, type DiskContents } from '#engine/formats/image'
import type { ReadDisk } from '#engine/formats/struct'
import type { JobContext } from '#engine/job'
import type { ImagePartition, ReadPart } from '#shared/model'

export interface ReadingPlan {
  readonly contents: DiskContents
  /** Of the disk, in whole units of 4096 but for its end. */
  readonly ranges: UsedRanges
  readonly parts: readonly ReadPart[]
}

/** Reads begin and end at these, which suits every device, and memory too. */
const unitBytes = 4096

/** Throws what `read` throws, the signal's reason. */
export async function planReading(
  read: ReadDisk,
  sizeBytes: number,
  { log, signal }: Pick<JobContext, 'log' | 'signal'>,
): Promise<ReadingPlan> {
  // Records of a large disk are many small reads.
  const readDisk: ReadDisk = async (offset, lengthBytes) => {
    signal.throwIfAborted()
    return await read(offset, lengthBytes)
  }
  const contents = await readDiskContents(readDisk, sizeBytes, signal)
  const ranges = new UsedRanges()
  const add = (from: number, to: number) => {
    const end = Math.min(sizeBytes, Math.ceil(to / unitBytes) * unitBytes)
    ranges.add(Math.floor(from / unitBytes) * unitBytes, end)
  }
  const parts: ReadPart[] = []
  let at = 0
  for (const { offset, lengthBytes, partition, isAlone } of stretches(contents, sizeBytes)) {
    add(at, offset)
    const found = isAlone ? await readUsedBlocks(readDisk, { offset, sizeBytes: lengthBytes, signal }) : null
    let usedBytes = lengthBytes
    if (found?.kind === 'used') {
      usedBytes = found.ranges.usedBytes
      for (const [from, to] of found.ranges) add(offset + from, offset + to)
    } else add(offset, offset + lengthBytes)
    at = Math.max(at, offset + lengthBytes)
    if (found?.kind === 'whole')
      log.info('read whole', {
        partition: partition?.index ?? 0,
        reason: found.reason,
        problem: found.problem,
      })
    parts.push({
      index: partition?.index ?? 0,
      offset,
      sizeBytes: lengthBytes,
      filesystem: found?.found?.filesystem ?? partition?.filesystem ?? null,
      label: found?.found?.label ?? partition?.label ?? null,
      usedBytes,
      whole: found === null ? 'inconsistent' : found.kind === 'used' ? null : found.reason,
    })
  }
  add(at, sizeBytes)
  return { contents, ranges, parts }
}

interface Stretch {
  readonly offset: number
  readonly lengthBytes: number
  readonly partition: ImagePartition | null
  /** Nothing else claims any of it. */
  readonly isAlone: boolean
}

/** Partitions in the order of the disk, as far as they are on it; one for a disk without a map. */
function stretches({ partitionMap, partitions, whole }: DiskContents, sizeBytes: number): readonly Stretch[] {
  const all = { offset: 0, lengthBytes: sizeBytes, partition: null, isAlone: true }
  if (partitionMap === 'none') return [all]
  // A map, and a file system over all of it: which of them counts isn't for us to say.
  if (whole !== null) return [{ ...all, isAlone: false }]
  const sorted = partitions
    .map((partition) => ({
      partition,
      offset: partition.offset,
      lengthBytes: Math.min(partition.sizeBytes, sizeBytes - partition.offset),
      // Cut off by the disk's end: its file system isn't all there.
      isAlone: partition.offset + partition.sizeBytes <= sizeBytes,
    }))
    .filter(({ offset, lengthBytes }) => offset >= 0 && lengthBytes > 0)
    .toSorted((a, b) => a.offset - b.offset)
  let end = 0
  return sorted.map((stretch, index) => {
    const next = sorted[index + 1]
    const overlaps =
      stretch.offset < end || (next !== undefined && next.offset < stretch.offset + stretch.lengthBytes)
    end = Math.max(end, stretch.offset + stretch.lengthBytes)
    return { ...stretch, isAlone: stretch.isAlone && !overlaps }
  })
}
