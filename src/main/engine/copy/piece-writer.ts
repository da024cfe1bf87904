/**
 * Writes a long buffer in one go where the destination is fast, and in pieces where it is slow: few system calls there,
 * and here a Cancel that needn't wait until megabytes have gone through a USB stick.
 */
import type { BlockSink } from '#engine/block-io'
import { DeviceError } from '#shared/errors'

/** What a stick of 5 MB/s takes a fifth of a second for. */
const leastPieceBytes = 1024 ** 2
/**
 * Of one write among the few that are under way at once, so the destination is up to four times as fast. A buffer of
 * 8 MiB then takes a twelfth of a second.
 */
const fastBytesPerMs = 100_000

/** So exactly a place that can't be written is told. */
const locatedBytes = 65_536

/** `onWritten` is told the bytes of each piece. Between pieces `signal` stops it: throws its reason. */
export type PieceWriter = (
  bytes: Uint8Array,
  offset: number,
  signal: AbortSignal,
  onWritten: (bytes: number) => void,
) => Promise<void>

/** `now` in milliseconds. What is learnt of the sink's speed holds for all writes; the first are small. */
export function createPieceWriter(sink: Pick<BlockSink, 'write'>, now: () => number): PieceWriter {
  let isFast = false
  return async (bytes, offset, signal, onWritten) => {
    for (let done = 0; done < bytes.length;) {
      if (done > 0) signal.throwIfAborted()
      const piece = isFast ? bytes.subarray(done) : bytes.subarray(done, done + leastPieceBytes)
      const beganMs = now()
      await sink
        .write(piece, offset + done)
        .catch((error: unknown) => locate(error, piece, offset + done, sink))
      isFast = piece.length >= (now() - beganMs) * fastBytesPerMs
      done += piece.length
      onWritten(piece.length)
    }
  }
}

/** Throws `error`, or one like it that says more exactly where it was: what failed is written once more, bit by bit. */
async function locate(
  error: unknown,
  bytes: Uint8Array,
  offset: number,
  sink: Pick<BlockSink, 'write'>,
): Promise<never> {
  if (error instanceof DeviceError && error.code === 'E_IO_WRITE')
    for (let done = 0; done < bytes.length; done += locatedBytes)
      await sink.write(bytes.subarray(done, done + locatedBytes), offset + done)
  throw error
}
