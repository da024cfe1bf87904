/**
 * What of a disk has to be read: its partition map, what no partition covers, of each partition what its file system uses,
 * and all of those that aren't understood.
 */
import {
  BadStretches,
  readOccupant,
  readUsedBlocks,
  UsedRanges,
  withoutBad,
} from '#engine/formats/filesystem'
import { readDiskContents, type DiskContents } from '#engine/formats/image'
import { isHeldElsewhere } from '#engine/formats/partition-map'
import { UnreadableError, type ReadDisk } from '#engine/formats/struct'
import type { JobContext } from '#engine/job'
import type { ImagePartition, ReadPart, WholeReason } from '#shared/model'
import type { Unread } from './left-unread.ts'
import { pastBadSectors } from './past-bad-sectors.ts'
import { edgesOf, type Stretch } from './volume-edges.ts'

export interface ReadingPlan {
  readonly contents: DiskContents
  /** Of the disk, but for its end in whole units of 4096; in whole sectors beside what file systems call bad. */
  readonly ranges: UsedRanges
  readonly parts: readonly ReadPart[]
  /** Of volumes of which only used blocks are read, ascending: what isn't read there is zeros in an image, no hole. */
  readonly edges: readonly Stretch[]
  readonly unread: Unread
}

/** Reads begin and end at these, which suits every device, and memory too. */
const unitBytes = 4096
/** Of a file that stands for a disk. */
const usualBlockBytes = 512

interface Device {
  readonly sizeBytes: number
  /** The least that it reads. */
  readonly sectorBytes: number
  /** In which its map should count, where that is known. */
  readonly blockBytes?: number | undefined
}

/** Bad sectors where nothing is kept are looked past. Throws what `read` throws, the signal's reason. */
export async function planReading(
  read: ReadDisk,
  device: Device,
  context: Pick<JobContext, 'log' | 'signal'>,
): Promise<ReadingPlan> {
  const { log, signal } = context
  // Records of a large disk are many small reads.
  const readUnlessAborted: ReadDisk = async (offset, lengthBytes) => {
    signal.throwIfAborted()
    return await read(offset, lengthBytes)
  }
  const past = pastBadSectors(readUnlessAborted, log)
  try {
    const { bad, ...plan } = await planFrom(past.readDisk, device, context)
    let badBytes = 0
    for (const [from, to] of bad) badBytes += to - from
    return { ...plan, unread: { failedReads: past.failedReads(), badBytes } }
  } catch (error) {
    // A record that nothing else stands in for.
    throw error instanceof UnreadableError ? error.cause : error
  }
}

async function planFrom(
  readDisk: ReadDisk,
  { sizeBytes, sectorBytes, blockBytes }: Device,
  { log, signal }: Pick<JobContext, 'log' | 'signal'>,
): Promise<Omit<ReadingPlan, 'unread'> & { readonly bad: BadStretches }> {
  const contents = await readDiskContents(readDisk, sizeBytes, signal, blockBytes)
  // Only of a disk with a map: without one, all of it is looked at as a volume is.
  const isMapped = contents.partitionMap !== 'none'
  const { partitions } = contents
  const { otherOwner } = isMapped
    ? await readOccupant(readDisk, { offset: 0, sizeBytes, partitions })
    : { otherOwner: null }
  const used = new UsedRanges()
  const bad = new BadStretches()
  const parts: ReadPart[] = []
  const edges: Stretch[] = []
  let at = 0
  const disk = { contents, otherOwner, sizeBytes, blockBytes }
  for (const { offset, lengthBytes, partition, doubt } of partsOf(disk)) {
    used.add(at, offset)
    const found =
      doubt === null ? await readUsedBlocks(readDisk, { offset, sizeBytes: lengthBytes, signal }) : null
    let usedBytes = lengthBytes
    if (found?.kind === 'used') {
      usedBytes = found.ranges.usedBytes
      for (const [from, to] of found.ranges) used.add(offset + from, offset + to)
      for (const [from, to] of found.bad)
        bad.add(roundUp(offset + from, sectorBytes), roundDown(offset + to, sectorBytes))
      edges.push(...edgesOf(offset, lengthBytes))
    } else used.add(offset, offset + lengthBytes)
    at = Math.max(at, offset + lengthBytes)
    const whole = found?.kind === 'whole' ? found : doubt
    if (whole !== null)
      log.info('read whole', {
        partition: partition?.index ?? 0,
        reason: whole.reason,
        problem: whole.problem,
      })
    parts.push({
      index: partition?.index ?? 0,
      offset,
      sizeBytes: lengthBytes,
      filesystem: found?.found?.filesystem ?? partition?.filesystem ?? null,
      label: found?.found?.label ?? partition?.label ?? null,
      usedBytes,
      whole: whole?.reason ?? null,
      ...(found?.kind === 'used' && found.hasShadowCopies ? { hasShadowCopies: true } : {}),
    })
  }
  used.add(at, sizeBytes)
  // Last: whole units, and gaps that count as used, may have bad clusters in them beside good ones.
  const ranges = withoutBad(widened(used, Math.max(unitBytes, sectorBytes), sizeBytes), bad)
  return { contents, ranges, parts, edges, bad }
}

/** In whole units, but for the end of the disk. */
function widened(ranges: UsedRanges, bytes: number, sizeBytes: number): UsedRanges {
  const wide = new UsedRanges()
  for (const [from, to] of ranges) wide.add(roundDown(from, bytes), Math.min(sizeBytes, roundUp(to, bytes)))
  return wide
}

const roundDown = (value: number, unit: number) => Math.floor(value / unit) * unit
const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit

interface Part {
  readonly offset: number
  readonly lengthBytes: number
  readonly partition: ImagePartition | null
  /** What its file system says isn't even asked for; null: nothing stands against it. */
  readonly doubt: Doubt | null
}

interface Doubt {
  readonly reason: WholeReason
  /** In words for a log. */
  readonly problem: string
}

/** Partitions in the order of the disk, as far as they are on it; one for a disk without a map. */
function partsOf({
  contents: { partitionMap, mapBlockBytes, partitions, whole },
  otherOwner,
  sizeBytes,
  blockBytes = usualBlockBytes,
}: Pick<Device, 'sizeBytes' | 'blockBytes'> & {
  readonly contents: DiskContents
  /** Of the disk as a whole. */
  readonly otherOwner: string | null
}): readonly Part[] {
  const all = { offset: 0, lengthBytes: sizeBytes, partition: null, doubt: null }
  if (partitionMap === 'none') return [all]
  const doubtAll = (reason: WholeReason, owner: string) => [
    { ...all, doubt: { reason, problem: `a partition map and ${owner}` } },
  ]
  // A map, and a file system over all of it: which of them counts isn't for us to say.
  if (whole !== null) return doubtAll('inconsistent', whole.filesystem)
  // Whoever took all of the disk needn't have written over its map, its backup, and the file systems of that time.
  if (otherOwner !== null) return doubtAll('unknown', otherOwner)
  const sorted = partitions
    .map((partition) => ({
      partition,
      offset: partition.offset,
      lengthBytes: Math.min(partition.sizeBytes, sizeBytes - partition.offset),
    }))
    .filter(({ offset, lengthBytes }) => offset >= 0 && lengthBytes > 0)
    .toSorted((a, b) => a.offset - b.offset)
  const otherBlocks = partitionMap === 'mbr' && mapBlockBytes !== blockBytes ? otherBlockSize : null
  let end = 0
  return sorted.map((part, index) => {
    const next = sorted[index + 1]
    const overlaps = part.offset < end || (next !== undefined && next.offset < part.offset + part.lengthBytes)
    end = Math.max(end, part.offset + part.lengthBytes)
    return { ...part, doubt: otherBlocks ?? (overlaps ? overlap : doubtOf(part)) }
  })
}

/** Only what is there says so, and that may be left over from before. */
const otherBlockSize: Doubt = {
  reason: 'inconsistent',
  problem: 'its map counts in other sectors than those of the disk',
}

const overlap: Doubt = { reason: 'inconsistent', problem: 'it overlaps another' }

function doubtOf({
  partition,
  lengthBytes,
}: {
  readonly partition: ImagePartition
  readonly lengthBytes: number
}): Doubt | null {
  // Cut off by the disk's end: its file system isn't all there.
  if (lengthBytes < partition.sizeBytes) return { reason: 'inconsistent', problem: 'the disk ends before it' }
  return isHeldElsewhere(partition.type) ? { reason: 'unknown', problem: partition.type } : null
}
