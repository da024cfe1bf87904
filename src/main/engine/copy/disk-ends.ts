/**
 * The first and the last bytes of a destination: what makes it a disk lies there (partition maps and their backups, boot
 * blocks, superblocks). A restore blanks both before it writes anything, and what the image doesn't use of them stays
 * zeros. So here unused space counts, whoever compares.
 */
import type { BlockSink } from '#engine/block-io'
import { headBytes } from './head-blocks.ts'

/** The backup GPT lies in the last 33 blocks; older RAID and file systems keep their labels in the last few hundred KiB. */
const tailBytes = 1024 ** 2
const pageBytes = 4096

export interface DiskEnds {
  /** The head is from 0 to here. */
  readonly headEnd: number
  /** The tail is from here … */
  readonly tailStart: number
  /** … to here, the end of the destination. Both are never before `headEnd`. */
  readonly tailEnd: number
}

/** Of a device, or of a file that is `heldBytes` long now. */
export function diskEnds(sink: BlockSink, heldBytes: number): DiskEnds {
  const size = sink.sizeBytes ?? heldBytes
  const headEnd = Math.min(headBytes, size)
  const wanted = Math.max(headEnd, size - tailBytes)
  // A file may end anywhere.
  const tailStart = Math.min(size, Math.max(headEnd, wanted - (wanted % pageBytes)))
  return { headEnd, tailStart, tailEnd: size }
}

/** Zeros over both, on the medium when this resolves. */
export async function blankEnds(
  sink: BlockSink,
  { headEnd, tailStart, tailEnd }: DiskEnds,
  signal?: AbortSignal,
): Promise<void> {
  if (headEnd > 0) await sink.zero(0, headEnd, signal)
  if (tailEnd > tailStart) await sink.zero(tailStart, tailEnd - tailStart, signal)
  await sink.flush()
}
