/** gzip (RFC 1952): members one after the other, and zeros after the last, as tapes and block devices add them. */
import { createGunzip } from 'node:zlib'
import { corrupt } from './corrupt.ts'
import { findAfterZeros, type StoredPieces } from './stored-pieces.ts'
import { decodeThrough, outputBytes } from './zlib-transform.ts'

/** zlib's words, and the field of RFC 1952 they speak of. */
const fields: Readonly<Record<string, string>> = {
  'incorrect header check': 'ID1',
  'unknown compression method': 'CM',
  'unknown header flags set': 'FLG',
  'header crc mismatch': 'CRC16',
  'incorrect data check': 'CRC32',
  'incorrect length check': 'ISIZE',
}

/** The expanded bytes. Throws FormatError E_SRC_CORRUPT. */
export async function* decodeGzip(pieces: StoredPieces): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: outputBytes })
  const end = yield* decodeThrough(pieces, 0, gunzip, (error, offset) =>
    error.code === 'Z_BUF_ERROR'
      ? corrupt('gzip', 'the stream is cut off', {
          field: 'deflate',
          offset: pieces.sizeBytes,
          cutShort: true,
          cause: error,
        })
      : corrupt('gzip', error.message, { field: fields[error.message] ?? 'deflate', offset, cause: error }),
  )
  const garbage = await findAfterZeros(pieces, end)
  if (garbage !== null)
    throw corrupt('gzip', 'something else follows the stream', { field: 'ID1', offset: garbage })
}
