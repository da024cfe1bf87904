/** What has to be stored of a stretch of the disk: cut at the ends of bands, without what is zeros anyway. */

export interface BandPiece {
  /** Of the band. */
  readonly index: number
  /** From the band's first byte. */
  readonly within: number
  readonly bytes: Uint8Array
}

/** A hole shorter than this isn't worth being one. */
const grainBytes = 64 * 1024
const zeros = Buffer.alloc(grainBytes)

/** The pieces of `bytes`, which lie at `offset` of the disk. */
export function* bandPieces(bytes: Uint8Array, offset: number, bandBytes: number): Generator<BandPiece> {
  for (let done = 0; done < bytes.length;) {
    const index = Math.floor((offset + done) / bandBytes)
    const within = offset + done - index * bandBytes
    const piece = bytes.subarray(done, done + Math.min(bytes.length - done, bandBytes - within))
    done += piece.length
    // Grains in a row are one write.
    let from = 0
    for (let at = 0; at < piece.length; at += grainBytes) {
      const end = Math.min(piece.length, at + grainBytes)
      if (!isZeros(piece, at, end)) continue
      if (at > from) yield { index, within: within + from, bytes: piece.subarray(from, at) }
      from = end
    }
    if (piece.length > from) yield { index, within: within + from, bytes: piece.subarray(from) }
  }
}

/** The first and last byte tell nearly all data. */
function isZeros(bytes: Uint8Array, from: number, to: number): boolean {
  if (bytes[from] !== 0 || bytes[to - 1] !== 0) return false
  return zeros.compare(bytes, from, to, 0, to - from) === 0
}
