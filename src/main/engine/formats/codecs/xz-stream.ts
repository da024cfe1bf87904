/** xz (file format 1.2): streams one after the other, and between and after them zeros in fours. */
import { FormatError } from '#shared/errors'
import { corrupt } from './corrupt.ts'
import { findAfterZeros, type StoredPieces } from './stored-pieces.ts'
import { loadXz, xzStatus, XzContext } from './xz-wasm.ts'

/** The expanded bytes. Throws FormatError E_SRC_CORRUPT, or E_SRC_FORMAT for what the decoder doesn't know. */
export async function* decodeXz(pieces: StoredPieces): AsyncGenerator<Uint8Array> {
  await loadXz()
  for (let start = 0; ;) {
    const end = yield* decodeXzStream(pieces, start)
    const next = await findAfterZeros(pieces, end)
    if (((next ?? pieces.sizeBytes) - end) % 4 !== 0)
      throw corrupt('xz', 'something else follows the stream', {
        field: 'Stream Padding',
        offset: next ?? end,
      })
    if (next === null) return
    start = next
  }
}

/** One stream; returns where it ends. */
async function* decodeXzStream(pieces: StoredPieces, start: number): AsyncGenerator<Uint8Array, number> {
  using context = new XzContext()
  for (let at = start; ;) {
    let starved = false
    if (context.inputLeft === 0) {
      const piece = await pieces.at(at)
      at += context.supply(piece, 0)
      starved = piece.length === 0
    }
    const { status, bytes } = context.decode()
    if (bytes.length > 0) yield bytes.slice()
    const offset = at - context.inputLeft
    if (status === xzStatus.streamEnd) return offset
    if (status !== xzStatus.ok && !(starved && status === xzStatus.buffer))
      throw refused(status, start, offset)
    if (starved && bytes.length === 0)
      throw corrupt('xz', 'the stream is cut off', { field: 'Block', offset: pieces.sizeBytes })
  }
}

function refused(status: number, start: number, offset: number): FormatError {
  const unsupported = (field: string, what: string) =>
    new FormatError('E_SRC_FORMAT', `xz: ${what} (${field} at ${start})`, {
      details: { format: 'xz', field, offset: start },
    })
  switch (status) {
    case xzStatus.memory:
    case xzStatus.memoryLimit:
      return unsupported('Dictionary Size', 'the dictionary is larger than 64 MiB')
    case xzStatus.unsupportedCheck:
    case xzStatus.options:
      return unsupported('Stream Flags', 'a SHA-256 check, or a filter other than LZMA2')
    case xzStatus.format:
      return corrupt('xz', 'no stream begins here', { field: 'Header Magic Bytes', offset: start })
    default:
      return corrupt('xz', 'the stream is damaged', { field: 'Block', offset })
  }
}
