/** Reads what was written back through a few aligned buffers, the next ones already under way while one is checked. */
import { allocatePageAligned, type BlockSink } from '#engine/block-io'
import type { Stretch } from './block-checksums.ts'
import { padded } from './head-blocks.ts'

export interface ReadBackOptions {
  readonly buffers: number
  readonly bufferBytes: number
  readonly signal: AbortSignal
  /** Page-aligned room for all buffers, the caller's again when the reading has ended. Absent: it is allocated, which is too much to do often. */
  readonly room?: Uint8Array
  /** Pieces of zeros end at multiples of this, too: long stretches of them, in which blocks are counted. Default: no more than at buffers. */
  readonly blockBytes?: number
}

/** A piece of a stretch: at most a buffer of it, in order. Unused and known stretches come whole, and aren't read. */
export interface ReadBack {
  readonly stretch: Stretch
  readonly offset: number
  /** Valid until the next piece is asked for. Empty for what isn't read. */
  readonly bytes: Uint8Array
  readonly isLastOfStretch: boolean
}

/** Throws what the sink's `read` throws, the signal's reason. Nothing is under way any more when it ends. */
export async function* readBack(
  sink: BlockSink,
  stretches: Iterable<Stretch>,
  options: ReadBackOptions,
): AsyncGenerator<ReadBack> {
  const { buffers, bufferBytes, signal, room = allocatePageAligned(buffers * bufferBytes) } = options
  const pieces = cut(stretches, options)
  const underWay: { readonly piece: ReadBack; readonly read: Promise<void> }[] = []
  let count = 0
  const startNext = () => {
    const next = pieces.next()
    if (next.done === true) return
    const { stretch, offset, lengthBytes } = next.value
    const isLastOfStretch = offset + lengthBytes === stretch.offset + stretch.lengthBytes
    const at = (count++ % buffers) * bufferBytes
    const readBytes = isRead(stretch) ? lengthBytes : 0
    const into = room.subarray(at, at + padded(readBytes, sink))
    const read = readBytes === 0 ? Promise.resolve() : sink.read(into, offset)
    // A failure is told when its turn comes.
    read.catch(() => undefined)
    underWay.push({ piece: { stretch, offset, bytes: into.subarray(0, readBytes), isLastOfStretch }, read })
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

const isRead = ({ kind }: Stretch) => kind !== 'unused' && kind !== 'known'

/** Pieces end at multiples of the buffer's size, so that all but the first and last of a stretch are whole buffers. */
function* cut(
  stretches: Iterable<Stretch>,
  { bufferBytes, blockBytes = bufferBytes }: Pick<ReadBackOptions, 'bufferBytes' | 'blockBytes'>,
): Generator<{ stretch: Stretch; offset: number; lengthBytes: number }, undefined> {
  for (const stretch of stretches) {
    const end = stretch.offset + stretch.lengthBytes
    const wholeBytes = stretch.kind === 'zero' ? blockBytes : bufferBytes
    let offset = stretch.offset
    while (offset < end) {
      const lengthBytes = isRead(stretch)
        ? Math.min(end - offset, bufferBytes - (offset % bufferBytes), wholeBytes - (offset % wholeBytes))
        : end - offset
      yield { stretch, offset, lengthBytes }
      offset += lengthBytes
    }
  }
  return undefined
}
