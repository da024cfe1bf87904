/** The stored bytes of a compressed image, in pieces from wherever a decoder wants to go on. Keeps the last piece. */
import type { BlockSource } from '#engine/block-io'

export interface StoredPieces {
  readonly sizeBytes: number
  /** The bytes at `offset`: at least one and at most a piece, none at the end. Not to be changed. */
  at(offset: number): Promise<Uint8Array>
  /** As many as `lengthBytes` at `offset`, fewer only at the end. */
  head(offset: number, lengthBytes: number): Promise<Uint8Array>
}

/** Pieces of `pieceBytes`. Rejects as `source.read` does, and with the reason of `signal`. */
export function openPieces(source: BlockSource, pieceBytes: number, signal: AbortSignal): StoredPieces {
  const { sizeBytes } = source
  let start = 0
  let piece = new Uint8Array(0)
  const read = async (offset: number, lengthBytes: number) => {
    const bytes = new Uint8Array(Math.min(lengthBytes, sizeBytes - offset))
    await source.read(bytes, offset, signal)
    return bytes
  }
  const pieces: StoredPieces = {
    sizeBytes,
    async at(offset) {
      if (offset >= sizeBytes) return new Uint8Array(0)
      if (offset < start || offset >= start + piece.length) {
        piece = await read(offset, pieceBytes)
        start = offset
      }
      return piece.subarray(offset - start)
    },
    async head(offset, lengthBytes) {
      const bytes = await pieces.at(offset)
      if (bytes.length >= lengthBytes || offset + bytes.length >= sizeBytes)
        return bytes.subarray(0, lengthBytes)
      return read(offset, lengthBytes)
    },
  }
  return pieces
}

/** Where the first byte that isn't zero lies, from `offset` on; null when only zeros follow. */
export async function findAfterZeros(pieces: StoredPieces, offset: number): Promise<number | null> {
  for (let at = offset; ;) {
    const piece = await pieces.at(at)
    if (piece.length === 0) return null
    const found = piece.findIndex((byte) => byte !== 0)
    if (found >= 0) return at + found
    at += piece.length
  }
}
