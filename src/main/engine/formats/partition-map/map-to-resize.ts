/** What a partition map asks of a disk that is to become larger or smaller. Bytes. */
import { readOrNull, type ReadDisk } from '#engine/formats/struct'
import { apmEntryStruct, ddmStruct } from './apm.ts'
import { readMbrToResize } from './mbr-to-resize.ts'
import { readProtection } from './mbr.ts'
import { readGptToResize } from './move-gpt.ts'
import { readPartitionMap } from './read-partition-map.ts'

export interface MapWrite {
  readonly offset: number
  readonly bytes: Uint8Array
}

/**
 * Three stages, each to be on the medium before the next begins. Stopped anywhere, the disk has a whole map: until `commit`
 * the old one, which is looked for at the disk's beginning, then the new one.
 */
export interface MapChanges {
  /** In places that belong to no partition. */
  readonly prepare: readonly MapWrite[]
  readonly commit: readonly MapWrite[]
  /** What the old map left behind. */
  readonly clear: readonly MapWrite[]
}

export interface MapToResize {
  readonly kind: 'gpt' | 'mbr' | 'apm'
  /** The disk has whole ones of these. */
  readonly sectorBytes: number
  /** With less, a partition or the map would be cut. */
  readonly smallestBytes: number
  /** With more, its numbers wouldn't do; `Infinity` where they do for any disk, or say nothing of its size. */
  readonly largestBytes: number
  /** It is the map of a disk of the size this one has: a resize may have been stopped in the middle. */
  readonly fits: boolean
  /** `smallestBytes` is the larger of two readings: the map doesn't say how large its sectors are, and nothing else does. */
  readonly isGuess: boolean
  changesFor(sizeBytes: number): MapChanges
}

/** What an Apple map's numbers of blocks can say. */
const mostApmBlocks = 0xffff_ffff

const none: MapChanges = { prepare: [], commit: [], clear: [] }

/**
 * The map of a disk of `sizeBytes`; null when it has none; `damaged` for one that can be read but not changed without
 * making guesses. Rejects with what the medium throws.
 */
export async function readMapToResize(
  readDisk: ReadDisk,
  sizeBytes: number,
): Promise<MapToResize | 'damaged' | null> {
  const { kind } = await readPartitionMap(readDisk, sizeBytes)
  switch (kind) {
    case 'gpt':
      return (
        (await readGptToResize(readDisk, sizeBytes, 512)) ??
        (await readGptToResize(readDisk, sizeBytes, 4096)) ??
        'damaged'
      )
    case 'apm':
      return (await readOrNull(readApmToResize(readDisk, sizeBytes))) ?? 'damaged'
    case 'mbr':
      // A GPT that is announced and can't be read is somebody's all the same.
      return (await readProtection(readDisk, sizeBytes)) === 'protective'
        ? 'damaged'
        : await readMbrToResize(readDisk, sizeBytes)
    case 'none':
    default:
      return (await readProtection(readDisk, sizeBytes)) === 'protective' ? 'damaged' : null
  }
}

/** Of an entry's block: pmPartBlkCnt and pmDataCnt. */
const partitionCountAt = apmEntryStruct.offsetOf('pmPartBlkCnt')
const dataCountAt = 84

/** Where the map lists free space at its end, that becomes longer or shorter with the disk; it keeps a block. */
async function readApmToResize(readDisk: ReadDisk, sizeBytes: number): Promise<MapToResize | null> {
  const ddm = await readDisk(0, 512)
  const { sbBlkSize, sbBlkCount } = ddmStruct.parse(ddm, 0)
  for (const blockBytes of new Set([sbBlkSize, 512])) {
    if (blockBytes % 512 !== 0 || blockBytes === 0) continue
    const blocks: { offset: number; bytes: Uint8Array; start: number; count: number; type: string }[] = []
    let entries = 1
    for (let index = 1; index <= entries; index++) {
      const offset = index * blockBytes
      if (offset + 512 > sizeBytes) return null
      const bytes = await readDisk(offset, 512)
      const entry = apmEntryStruct.parse(bytes, offset)
      if (entry.pmSig !== 'PM' || entry.pmMapBlkCnt < 1 || entry.pmMapBlkCnt > 256) break
      entries = entry.pmMapBlkCnt
      const { pmPyPartStart: start, pmPartBlkCnt: count, pmParType: type } = entry
      blocks.push({ offset, bytes, start, count, type })
    }
    if (blocks.length !== entries) continue
    const used = blocks.filter(({ type }) => type !== 'Apple_Free' && type !== 'Apple_Void')
    const usedEnd = used.reduce((end, { start, count }) => Math.max(end, start + count), 1 + entries)
    const free = blocks.find(({ start, type }) => type === 'Apple_Free' && start >= usedEnd)
    const smallest = free === undefined ? usedEnd : free.start + 1
    const coversAll = sbBlkSize > 0 && sbBlkCount === Math.floor(sizeBytes / sbBlkSize)
    return {
      kind: 'apm',
      sectorBytes: blockBytes,
      smallestBytes: smallest * blockBytes,
      largestBytes: Math.min(
        coversAll ? mostApmBlocks * sbBlkSize : Infinity,
        free === undefined ? Infinity : (free.start + mostApmBlocks) * blockBytes,
      ),
      fits: true,
      isGuess: false,
      changesFor(newBytes) {
        const newDdm = Buffer.from(ddm)
        if (coversAll) newDdm.writeUInt32BE(Math.floor(newBytes / sbBlkSize), 4)
        const commit: MapWrite[] = coversAll ? [{ offset: 0, bytes: newDdm }] : []
        if (free !== undefined) {
          const bytes = Buffer.from(free.bytes)
          const count = Math.floor(newBytes / blockBytes) - free.start
          bytes.writeUInt32BE(count, partitionCountAt)
          bytes.writeUInt32BE(count, dataCountAt)
          commit.push({ offset: free.offset, bytes })
        }
        return { ...none, commit }
      },
    }
  }
  return null
}
