/** Neighbouring pieces of one block that are decoded together and written in one go. Pure. */
import type { StoredPiece } from './stream-runs.ts'

export interface Batch {
  /** In order, without a gap on the disk. */
  readonly pieces: readonly StoredPiece[]
  readonly diskOffset: number
  readonly diskBytes: number
  /** Where the stored bytes begin, and how many there are from the first piece to the last. */
  readonly at: number
  readonly storedBytes: number
}

/**
 * Each piece in one batch, each batch at most `outBytes` of the disk and `storedBytes` of the stream: a piece that is larger
 * alone has to be cut before.
 */
export function planBatches(
  pieces: Iterable<StoredPiece>,
  { storedBytes, outBytes }: { readonly storedBytes: number; readonly outBytes: number },
): Batch[] {
  const batches: Batch[] = []
  let open: StoredPiece[] = []
  const close = () => {
    const [first] = open
    const last = open.at(-1)
    if (first === undefined || last === undefined) return
    batches.push({
      pieces: open,
      diskOffset: first.diskOffset,
      diskBytes: last.diskOffset + last.diskBytes - first.diskOffset,
      at: first.at,
      storedBytes: last.at + last.storedBytes - first.at,
    })
    open = []
  }
  for (const piece of pieces) {
    const [first] = open
    const last = open.at(-1)
    const joins =
      first !== undefined &&
      last !== undefined &&
      last.diskOffset + last.diskBytes === piece.diskOffset &&
      last.at + last.storedBytes <= piece.at &&
      piece.diskOffset + piece.diskBytes - first.diskOffset <= outBytes &&
      piece.at + piece.storedBytes - first.at <= storedBytes
    if (!joins) close()
    open.push(piece)
  }
  close()
  return batches
}
