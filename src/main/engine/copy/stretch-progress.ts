/** Tells of a stretch as it is made, and no byte more than it has: a device is given whole blocks, and needn't tell of all of it. */

export interface StretchProgress<How> {
  /** As far as it was told. */
  readonly piece: (lengthBytes: number, how: How) => void
  /** It is done. */
  readonly rest: (how: How) => void
}

export function stretchProgress<How>(
  lengthBytes: number,
  tell: (bytes: number, how: How) => void,
): StretchProgress<How> {
  let left = lengthBytes
  const piece = (pieceBytes: number, how: How) => {
    const bytes = Math.min(left, pieceBytes)
    left -= bytes
    if (bytes > 0) tell(bytes, how)
  }
  return { piece, rest: (how) => piece(left, how) }
}
