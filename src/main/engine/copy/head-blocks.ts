/**
 * The first blocks of the disk, kept aside while the rest is written. They are what makes a disk a disk: partition map
 * (GPT takes 17 to 24 KiB, APM up to 64 blocks), boot block, and the superblock of every usual file system that begins
 * at 0 (ext at 1 KiB, HFS+ at 1 KiB, btrfs at 64 KiB). Without them a disk that was interrupted is blank to everyone,
 * instead of mounting and failing at some file months later.
 */
import { allocatePageAligned, type BlockSink } from '#engine/block-io'

/** What is kept aside, where the disk is that large. */
export const headBytes = 1024 ** 2
/** The very first block, with the boot record or the superblock, is the last thing of all. */
const firstBytes = 4096

export class HeadBlocks {
  /** What was put in so far; the rest is zeros. */
  readonly bytes = allocatePageAligned(headBytes)

  /** Takes what belongs to the head out of `bytes` at `offset`; returns how many bytes that were. */
  keep(bytes: Uint8Array, offset: number): number {
    if (offset >= headBytes) return 0
    const length = Math.min(bytes.length, headBytes - offset)
    this.bytes.set(bytes.subarray(0, length), offset)
    return length
  }

  /**
   * Write what was kept of a disk of `sizeBytes`, after everything else is on the medium, and its first block after
   * that. All is on the medium when this resolves. Returns how many bytes were written.
   */
  async write(sink: BlockSink, sizeBytes: number): Promise<number> {
    const length = Math.min(headBytes, padded(sizeBytes, sink))
    const first = Math.min(length, Math.max(firstBytes, sink.alignmentBytes))
    await sink.flush()
    if (length > first) await sink.write(this.bytes.subarray(first, length), first)
    await sink.flush()
    if (first > 0) await sink.write(this.bytes.subarray(0, first), 0)
    await sink.flush()
    return length
  }
}

/** A device is written in whole blocks; a file ends where it ends. */
export function padded(lengthBytes: number, sink: BlockSink): number {
  if (sink.sizeBytes === null) return lengthBytes
  return Math.ceil(lengthBytes / sink.alignmentBytes) * sink.alignmentBytes
}
