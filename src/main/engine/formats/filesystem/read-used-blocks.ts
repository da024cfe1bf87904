/**
 * Which parts of a volume hold something, by its file system's own records. A record that isn't certain isn't used: what
 * can be relied on tells what is free, and everything else is in use.
 */
import { setImmediate } from 'node:timers/promises'
import { corrupt, readableOrNull, UnreadableError, type ReadDisk } from '#engine/formats/struct'
import { FormatError } from '#shared/errors'
import type { WholeReason } from '#shared/model'
import { BadStretches, withoutBad } from './bad-stretches.ts'
import { readBtrfsUsedBlocks } from './btrfs-used-blocks.ts'
import { readExfatUsedBlocks } from './exfat-used-blocks.ts'
import { readExtUsedBlocks } from './ext-used-blocks.ts'
import { readFatUsedBlocks } from './fat-used-blocks.ts'
import { readHfsPlusUsedBlocks } from './hfs-plus-used-blocks.ts'
import { readNtfsUsedBlocks } from './ntfs-used-blocks.ts'
import { findOtherOwner } from './other-owners.ts'
import { hasShadowCopies } from './shadow-copies.ts'
import { sniffAllFilesystems } from './sniff-filesystem.ts'
import { NotCertain, type BlockVolume, type UsedBlocksReader } from './used-blocks.ts'
import type { UsedRanges } from './used-ranges.ts'
import type { FoundFilesystem } from './volume.ts'
import { readXfsUsedBlocks } from './xfs-used-blocks.ts'

const readers: { readonly [filesystem: string]: UsedBlocksReader } = {
  ext2: readExtUsedBlocks,
  ext3: readExtUsedBlocks,
  ext4: readExtUsedBlocks,
  xfs: readXfsUsedBlocks,
  btrfs: readBtrfsUsedBlocks,
  vfat: readFatUsedBlocks,
  exfat: readExfatUsedBlocks,
  ntfs: readNtfsUsedBlocks,
  hfsplus: readHfsPlusUsedBlocks,
  hfsx: readHfsPlusUsedBlocks,
}

export type UsedBlocks = { readonly found: FoundFilesystem | null } & (
  | {
      readonly kind: 'used'
      readonly ranges: UsedRanges
      /** What the file system calls bad: no part of the ranges, which mustn't be widened over it either. */
      readonly bad: BadStretches
      /** Earlier states of the volume may need more than these ranges. */
      readonly hasShadowCopies: boolean
    }
  /** All of it has to be read; `problem` in words for a log. */
  | { readonly kind: 'whole'; readonly reason: WholeReason; readonly problem: string }
)

/**
 * Look through the volume at `offset` of a disk, `sizeBytes` long. Ranges are relative to its start. Rejects only with
 * what the medium throws, and the signal's reason.
 */
export async function readUsedBlocks(
  readDisk: ReadDisk,
  {
    offset,
    sizeBytes,
    signal,
  }: { readonly offset: number; readonly sizeBytes: number; readonly signal?: AbortSignal },
): Promise<UsedBlocks> {
  const all = await sniffAllFilesystems(readDisk, { offset, sizeBytes })
  const found = all[0] ?? null
  const read = found === null ? undefined : readers[found.filesystem]
  if (found === null || read === undefined)
    return { found, kind: 'whole', reason: 'unknown', problem: found?.filesystem ?? 'no file system' }
  const volume = cachedVolume(readDisk, { start: offset, sizeBytes, signal })
  try {
    // What one left behind and another wrote over is nobody's for certain.
    const other = all[1]?.filesystem ?? (await findOtherOwner(volume))
    if (other !== null)
      return { found, kind: 'whole', reason: 'unknown', problem: `${found.filesystem} and ${other}` }
    const { ranges, bad = new BadStretches() } = await read(volume)
    const isShadowed = found.filesystem === 'ntfs' && (await hasShadowCopies(volume))
    return { found, kind: 'used', ranges: withoutBad(ranges, bad), bad, hasShadowCopies: isShadowed }
  } catch (error) {
    if (error instanceof NotCertain)
      return { found, kind: 'whole', reason: error.reason, problem: error.message }
    // Reading outside, by a number that was read before; not a record that can't be read.
    if (error instanceof UnreadableError) throw error
    if (error instanceof FormatError || error instanceof RangeError)
      return { found, kind: 'whole', reason: 'inconsistent', problem: error.message }
    throw error
  }
}

const windowBytes = 65_536
const windows = 16
/** Of reads: small ones that are kept are no wait for anything, and everything else in this thread would wait for them. */
const pauseEvery = 256

/**
 * Small reads come from windows that are kept, for records that belong together lie together. Beside a bad sector
 * (`UnreadableError`) only what is asked for is read.
 */
function cachedVolume(
  readDisk: ReadDisk,
  {
    start,
    sizeBytes,
    signal,
  }: { readonly start: number; readonly sizeBytes: number; readonly signal: AbortSignal | undefined },
): BlockVolume {
  const kept = new Map<number, Uint8Array>()
  let reads = 0
  const inside = (offset: number, lengthBytes: number) => {
    if (!(offset >= 0 && lengthBytes >= 0 && offset + lengthBytes <= sizeBytes))
      throw corrupt({
        format: 'volume',
        field: 'offset',
        offset,
        found: lengthBytes,
        expected: `within ${sizeBytes}`,
      })
  }
  const window = async (index: number): Promise<Uint8Array | null> => {
    const known = kept.get(index)
    kept.delete(index)
    const from = index * windowBytes
    const bytes =
      known ?? (await readableOrNull(readDisk(start + from, Math.min(windowBytes, sizeBytes - from))))
    if (bytes === null) return null
    kept.set(index, bytes)
    for (const oldest of kept.keys()) {
      if (kept.size <= windows) break
      kept.delete(oldest)
    }
    return bytes
  }
  return {
    sizeBytes,
    async read(offset, lengthBytes) {
      inside(offset, lengthBytes)
      reads += 1
      if (reads % pauseEvery === 0) {
        await setImmediate()
        signal?.throwIfAborted()
      }
      if (lengthBytes >= windowBytes) return Buffer.from(await readDisk(start + offset, lengthBytes))
      const bytes = Buffer.alloc(lengthBytes)
      for (let done = 0; done < lengthBytes;) {
        const at = offset + done
        const within = at % windowBytes
        const wanted = Math.min(lengthBytes - done, windowBytes - within)
        const from = await window(Math.floor(at / windowBytes))
        bytes.set(from?.subarray(within, within + wanted) ?? (await readDisk(start + at, wanted)), done)
        done += wanted
      }
      return bytes
    },
  }
}
