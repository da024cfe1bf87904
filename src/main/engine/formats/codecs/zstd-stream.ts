/**
 * Zstandard (RFC 8878): frames one after the other, skippable ones among them. Node's transform takes one frame; this
 * walks them. Windows larger than 128 MiB are refused, as the zstd program does unless told otherwise.
 */
import { constants, createZstdDecompress } from 'node:zlib'
import { FormatError } from '#shared/errors'
import { corrupt } from './corrupt.ts'
import { findAfterZeros, type StoredPieces } from './stored-pieces.ts'
import { decodeThrough, outputBytes } from './zlib-transform.ts'

const maxWindowLog = 27

/**
 * Node gives what follows to the decoder once more where a frame ends with the buffer full, and zeros behind the last frame are an
 * error then. Disks are whole sectors: next to none of them is a multiple of this.
 */
const chunkSize = outputBytes - 1

const frameMagic = 0xfd2fb528
/** The low four bits are free. */
const skippableMagic = 0x184d2a50

/** The expanded bytes. Throws FormatError E_SRC_CORRUPT, or E_SRC_FORMAT for a window that is too large. */
export async function* decodeZstd(pieces: StoredPieces): AsyncGenerator<Uint8Array> {
  const { sizeBytes } = pieces
  for (let offset = 0; offset < sizeBytes || offset === 0;) {
    const head = await pieces.head(offset, 8)
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
    const magic = head.length < 4 ? 0 : view.getUint32(0, true)
    if (magic === frameMagic) {
      offset += yield* decodeFrame(pieces, offset)
    } else if ((magic & ~0xf) === skippableMagic) {
      const end = head.length < 8 ? Infinity : offset + 8 + view.getUint32(4, true)
      if (end > sizeBytes)
        throw corrupt('zstd', 'a skippable frame is cut off', {
          field: 'Frame_Size',
          offset: sizeBytes,
          cutShort: true,
        })
      offset = end
    } else {
      const garbage = await findAfterZeros(pieces, offset)
      if (offset > 0 && garbage === null) return
      throw corrupt('zstd', 'no frame begins here', { field: 'Magic_Number', offset: garbage ?? offset })
    }
  }
}

async function* decodeFrame(pieces: StoredPieces, start: number): AsyncGenerator<Uint8Array, number> {
  const transform = createZstdDecompress({
    chunkSize,
    params: { [constants.ZSTD_d_windowLogMax]: maxWindowLog },
  })
  return yield* decodeThrough(pieces, start, transform, (error, taken) => {
    const offset = start + taken
    switch (error.code) {
      case 'Z_BUF_ERROR':
        return corrupt('zstd', 'the frame is cut off', {
          field: 'Data_Block',
          offset: pieces.sizeBytes,
          cutShort: true,
        })
      case 'ZSTD_error_checksum_wrong':
        return corrupt('zstd', error.message, { field: 'Content_Checksum', offset, cause: error })
      case 'ZSTD_error_frameParameter_windowTooLarge':
        return new FormatError('E_SRC_FORMAT', `zstd: the window is larger than ${2 ** maxWindowLog} bytes`, {
          details: {
            format: 'zstd',
            field: 'Window_Descriptor',
            offset: start,
            expected: `at most ${2 ** maxWindowLog} bytes`,
          },
          cause: error,
        })
      default:
        return corrupt('zstd', error.message, { field: 'Data_Block', offset, cause: error })
    }
  })
}
