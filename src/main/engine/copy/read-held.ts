/** Reads from a destination that may be shorter than what is going to be on it: a file that will grow. */
import { allocatePageAligned, type BlockSink } from '#engine/block-io'
import { padded } from './head-blocks.ts'
import { isZeros } from './block-checksums.ts'
import { readBack } from './read-back.ts'

/**
 * Fill the first `lengthBytes` of `into`, which has room for whole blocks of the device, from `offset`; what lies past
 * `heldBytes` is zeros. Throws what the sink's `read` throws.
 */
export async function readHeld(
  sink: BlockSink,
  into: Uint8Array,
  {
    offset,
    lengthBytes,
    heldBytes,
  }: { readonly offset: number; readonly lengthBytes: number; readonly heldBytes: number },
): Promise<void> {
  const held = Math.max(0, Math.min(lengthBytes, heldBytes - offset))
  if (held > 0) await sink.read(into.subarray(0, padded(held, sink)), offset)
  into.fill(0, held, lengthBytes)
}

const zeroBuffers = { buffers: 4, bufferBytes: 1024 * 1024 }
/** Of a room for `findZeros`. */
export const zeroRoomBytes = zeroBuffers.buffers * zeroBuffers.bufferBytes

/**
 * Pieces of at most 1 MiB of the destination, in order, and whether they are zeros. `room`: page-aligned, for who looks at many
 * stretches. Throws what the sink's `read` throws.
 */
export async function* findZeros(
  sink: BlockSink,
  { offset, lengthBytes }: { readonly offset: number; readonly lengthBytes: number },
  signal: AbortSignal,
  room: Uint8Array = allocatePageAligned(zeroRoomBytes),
): AsyncGenerator<{ readonly from: number; readonly to: number; readonly isZero: boolean }> {
  if (lengthBytes <= 0) return
  for await (const piece of readBack(sink, [{ kind: 'zero', offset, lengthBytes }], {
    ...zeroBuffers,
    signal,
    room,
  }))
    yield { from: piece.offset, to: piece.offset + piece.bytes.length, isZero: isZeros(piece.bytes) }
}
