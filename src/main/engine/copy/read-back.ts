/** Reads what was written back through a few aligned buffers, the next ones already under way while one is checked. */
import { allocatePageAligned, type BlockSink } from '#engine/block-io'
import type { Segment } from './block-checksums.ts'
import { padded } from './head-blocks.ts'

export interface ReadBackOptions {
  readonly buffers: number
  readonly bufferBytes: number
  readonly signal: AbortSignal
  /** Page-aligned room for all buffers, the caller's again when the reading has ended. Absent: it is allocated, which is too much to do often. */
  readonly room?: Uint8Array
}

/** A piece of a segment: at most a buffer of it, in order. Unused and known segments come whole, and aren't read. */
export interface ReadBack {
  readonly segment: Segment
  readonly offset: number
  /** Valid until the next piece is asked for. Empty for what isn't read. */
  readonly bytes: Uint8Array
  readonly isLastOfSegment: boolean
}

/** Throws what the sink's `read` throws, the signal's reason. Nothing is under way any more when it ends. */
export async function* readBack(
  sink: BlockSink,
  segments: Iterable<Segment>,
  { buffers, bufferBytes, signal, room = allocatePageAligned(buffers * bufferBytes) }: ReadBackOptions,
): AsyncGenerator<ReadBack> {
  const pieces = cut(segments, bufferBytes)
  const underWay: { readonly piece: ReadBack; readonly read: Promise<void> }[] = []
  let count = 0
  const startNext = () => {
    const next = pieces.next()
    if (next.done === true) return
    const { segment, offset, lengthBytes } = next.value
    const isLastOfSegment = offset + lengthBytes === segment.offset + segment.lengthBytes
    const at = (count++ % buffers) * bufferBytes
    const readBytes = isRead(segment) ? lengthBytes : 0
    const into = room.subarray(at, at + padded(readBytes, sink))
    const read = readBytes === 0 ? Promise.resolve() : sink.read(into, offset)
    // A failure is told when its turn comes.
    read.catch(() => undefined)
    underWay.push({ piece: { segment, offset, bytes: into.subarray(0, readBytes), isLastOfSegment }, read })
  }
  try {
    for (let index = 0; index < buffers; index++) startNext()
    for (let first = underWay.shift(); first !== undefined; first = underWay.shift()) {
      await first.read
      signal.throwIfAborted()
      yield first.piece
      startNext()
    }
  } finally {
    await Promise.allSettled(underWay.map(({ read }) => read))
  }
}

const isRead = ({ kind }: Segment) => kind !== 'unused' && kind !== 'known'

/** Pieces end at multiples of the buffer's size, so that all but the first and last of a segment are whole buffers. */
function* cut(
  segments: Iterable<Segment>,
  bufferBytes: number,
): Generator<{ segment: Segment; offset: number; lengthBytes: number }, undefined> {
  for (const segment of segments) {
    const end = segment.offset + segment.lengthBytes
    let offset = segment.offset
    while (offset < end) {
      const lengthBytes = isRead(segment)
        ? Math.min(end - offset, bufferBytes - (offset % bufferBytes))
        : end - offset
      yield { segment, offset, lengthBytes }
      offset += lengthBytes
    }
  }
  return undefined
}
