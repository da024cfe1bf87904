/** An encrypted file as what is inside it: parsers read it like any other. What restores read goes through the pipeline. */
import type { BlockSource } from '#engine/block-io'
import type { BlockCipher } from '#engine/formats/extents'
import { corrupt } from '#engine/formats/struct'
import { decryptPiece, pieceBytes, planPiece } from './decrypt-blocks.ts'

/**
 * What `source` holds in its blocks, as `cipher` says. Takes `source` over: closing the result closes it. Errors name the file;
 * their offsets count what is inside.
 */
export function openDecrypted(source: BlockSource, cipher: BlockCipher): BlockSource {
  const { path } = source
  const { dataBytes: sizeBytes } = cipher
  return {
    path,
    sizeBytes,
    async read(into, offset, signal) {
      if (offset + into.length > sizeBytes)
        throw corrupt({
          format: 'encrcdsa',
          field: 'length',
          offset,
          found: sizeBytes,
          expected: offset + into.length,
          path,
        })
      let room: Uint8Array | null = null
      for (let done = 0; done < into.length;) {
        const piece = planPiece(cipher, offset + done, into.length - done)
        room ??= new Uint8Array(Math.min(pieceBytes, piece.storedBytes))
        const stored = room.subarray(0, piece.storedBytes)
        await source.read(stored, piece.fileOffset, signal)
        decryptPiece(cipher, piece, stored, into.subarray(done, done + piece.plainBytes))
        done += piece.plainBytes
      }
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}
