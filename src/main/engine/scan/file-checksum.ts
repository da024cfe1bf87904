/** The SHA-256 of a whole file, as the file beside an image has it. */
import { createHash } from 'node:crypto'
import { openFileSource } from '#engine/block-io'
import { rememberFiles, wrongChecksum } from '#engine/formats/extents'

const pieceBytes = 1024 * 1024

/**
 * SHA-256 of a file's bytes as they are. `advance` is called with the bytes read so far. Throws DeviceError E_SRC_CHANGED when
 * somebody wrote to it meanwhile; what reading throws; the signal's reason.
 */
export async function hashFile(
  path: string,
  signal: AbortSignal,
  advance: (doneBytes: number) => void,
): Promise<string> {
  const then = await rememberFiles([path])
  await using source = await openFileSource(path)
  const hash = createHash('sha256')
  const room = [new Uint8Array(pieceBytes), new Uint8Array(pieceBytes)]
  const read = async (offset: number) => {
    const piece = room[(offset / pieceBytes) % 2]?.subarray(0, source.sizeBytes - offset) ?? new Uint8Array(0)
    await source.read(piece, offset, signal)
    return piece
  }
  // One piece is read while the other is hashed.
  let coming = source.sizeBytes > 0 ? read(0) : Promise.resolve(new Uint8Array(0))
  for (let offset = 0; offset < source.sizeBytes; offset += pieceBytes) {
    const piece = await coming
    const next = offset + pieceBytes
    coming = next < source.sizeBytes ? read(next) : Promise.resolve(new Uint8Array(0))
    // When hashing fails nobody waits for it.
    coming.catch(() => undefined)
    hash.update(piece)
    advance(offset + piece.length)
  }
  await then.checkUnchanged()
  return hash.digest('hex')
}

/** Throws FormatError E_SRC_CORRUPT when the two differ. */
export function compareChecksum(path: string, expected: string, found: string): void {
  if (expected !== found) throw wrongChecksum(path, expected, found)
}
