/** bzip2: streams one after the other (pbzip2 writes one for each 900 000 bytes), and zeros after the last. */
import { Bzip2Reader, windowBytes } from './bzip2-reader.ts'
import { corrupt } from './corrupt.ts'
import { findAfterZeros, type StoredPieces } from './stored-pieces.ts'

const outputBytes = 256 * 1024

/** The expanded bytes. Throws FormatError E_SRC_CORRUPT. */
export async function* decodeBzip2(pieces: StoredPieces): AsyncGenerator<Uint8Array> {
  const { sizeBytes } = pieces
  const reader = new Bzip2Reader({ isFile: true })
  const moveWindow = async () => {
    const next = reader.wantsWindowAt
    if (next !== null) reader.reload(await pieces.head(next, windowBytes), sizeBytes - next <= windowBytes)
  }
  let output = new Uint8Array(outputBytes)
  let filled = 0
  reader.load(await pieces.head(0, windowBytes), 0, sizeBytes <= windowBytes)
  for (;;) {
    while (reader.next() === 'block') {
      for (;;) {
        filled = reader.block.read(output, filled)
        if (reader.block.isDone) break
        yield output
        output = new Uint8Array(outputBytes)
        filled = 0
      }
      reader.checkBlock()
      await moveWindow()
    }
    const end = reader.offset
    const next = await findAfterZeros(pieces, end)
    if (next === null) break
    if (next !== end)
      throw corrupt('bzip2', 'something else follows the stream', { field: 'header', offset: next })
    reader.beginStream()
    await moveWindow()
  }
  if (filled > 0) yield output.subarray(0, filled)
}
