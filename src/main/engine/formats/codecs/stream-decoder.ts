/** Raw images that are compressed as a whole: their bytes from the first to the last. */
import type { BlockSource } from '#engine/block-io'
import type { StreamCodec } from '#engine/formats/extents'
import { unreachable } from '#shared/errors'
import { decodeBzip2 } from './bzip2-stream.ts'
import { decodeGzip } from './gzip-stream.ts'
import { openPieces, type StoredPieces } from './stored-pieces.ts'
import { decodeXz } from './xz-stream.ts'
import { decodeZstd } from './zstd-stream.ts'

/** Stored bytes that are read at once. */
export const usualPieceBytes = 256 * 1024

/**
 * The expanded bytes of `source`, in order, in pieces of up to about 256 KiB, each the caller's to keep. `pieceBytes` are read at
 * once: `usualPieceBytes`, and in tests a byte. Nothing is read or decoded further ahead than a few pieces; memory is bounded by
 * the codec's own window (bzip2 12 MB, xz 64 MiB, zstd 128 MiB at most). The whole file is checked, checksums and what follows
 * the stream included, by the time iteration ends. Throws FormatError E_SRC_CORRUPT or E_SRC_FORMAT with
 * `{ format: codec, field, offset }`, `offset` in bytes of the file; what reading throws; the signal's reason.
 */
export async function* decodeStream(
  codec: StreamCodec,
  source: BlockSource,
  options: { readonly signal: AbortSignal; readonly pieceBytes: number },
): AsyncGenerator<Uint8Array> {
  const pieces = openPieces(source, options.pieceBytes, options.signal)
  for await (const bytes of decoderOf(codec, pieces)) {
    options.signal.throwIfAborted()
    yield bytes
  }
}

function decoderOf(codec: StreamCodec, pieces: StoredPieces): AsyncGenerator<Uint8Array> {
  switch (codec) {
    case 'gzip':
      return decodeGzip(pieces)
    case 'bzip2':
      return decodeBzip2(pieces)
    case 'xz':
      return decodeXz(pieces)
    case 'zstd':
      return decodeZstd(pieces)
    default:
      return unreachable(codec)
  }
}
