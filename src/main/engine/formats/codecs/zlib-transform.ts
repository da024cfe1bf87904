/** Stored bytes through one of Node's decompressing transforms, up to where the transform says that it has ended. */
import { pipeline, Readable, type Transform } from 'node:stream'
import { AppError } from '#shared/errors'
import type { StoredPieces } from './stored-pieces.ts'

/** Bytes a transform gives out at once. */
export const outputBytes = 256 * 1024

/**
 * Yield what `transform` makes of the stored bytes from `offset` on, returning how many of them it took. What it
 * complains about goes through `explain`, with how many it had taken by then (it may be in the middle of a piece).
 */
export async function* decodeThrough(
  pieces: StoredPieces,
  offset: number,
  transform: Transform & { readonly bytesWritten: number },
  explain: (error: Error & { readonly code?: unknown }, taken: number) => AppError,
): AsyncGenerator<Uint8Array, number> {
  const feed = Readable.from(feedFrom(pieces, offset), { objectMode: false })
  // Errors of either end up in the transform, which is where they are met. Iterating it to its end, or leaving it,
  // destroys it, and that ends the feed: it would go on with the rest of the file otherwise.
  pipeline(feed, transform, () => {})
  try {
    for await (const bytes of transform as AsyncIterable<Uint8Array>) yield bytes
    return transform.bytesWritten
  } catch (error) {
    if (!(error instanceof Error) || error instanceof AppError || !('errno' in error)) throw error
    throw explain(error, transform.bytesWritten)
  }
}

async function* feedFrom(pieces: StoredPieces, offset: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; ;) {
    const piece = await pieces.at(at)
    if (piece.length === 0) return
    yield piece
    at += piece.length
  }
}
