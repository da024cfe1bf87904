/** Reads a piece of an encrypted file and decrypts it. Pieces fit the cache; a claim of the pool is a few of them. */
import { decryptPiece, pieceBytes, planPiece } from '#engine/formats/encrypted'
import type { BlockCipher } from '#engine/formats/extents'

/** As `fs.read`: up to `lengthBytes` bytes from `offset` into the front of `room`; 0 at the end of the file. */
type Read<T> = (room: Uint8Array, lengthBytes: number, offset: number) => T

/** One for the thread: reads that block follow one another. */
let scratch: Uint8Array | null = null

/**
 * The first piece of `into`, whose plain bytes begin at `offset` of what is inside. Returns how many of them are there now, 0
 * when the file ends before. Throws what `read` throws.
 */
export function readPiece(cipher: BlockCipher, offset: number, into: Uint8Array, read: Read<number>): number {
  const piece = planPiece(cipher, offset, into.length)
  scratch ??= new Uint8Array(pieceBytes)
  for (let done = 0; done < piece.storedBytes;) {
    const got = read(scratch.subarray(done), piece.storedBytes - done, piece.fileOffset + done)
    if (got === 0) return 0
    done += got
  }
  decryptPiece(cipher, piece, scratch.subarray(0, piece.storedBytes), into)
  return piece.plainBytes
}

/** The same, without blocking. */
export async function readPieceLater(
  cipher: BlockCipher,
  offset: number,
  into: Uint8Array,
  read: Read<Promise<number>>,
): Promise<number> {
  const piece = planPiece(cipher, offset, into.length)
  const room = new Uint8Array(piece.storedBytes)
  for (let done = 0; done < piece.storedBytes;) {
    const got = await read(room.subarray(done), piece.storedBytes - done, piece.fileOffset + done)
    if (got === 0) return 0
    done += Math.max(0, got)
  }
  decryptPiece(cipher, piece, room, into)
  return piece.plainBytes
}
