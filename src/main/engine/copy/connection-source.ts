/**
 * The image's file behind a stream as a `BlockSource`: its structure is read block by block over the control connection, a
 * few of them kept. For metadata only; the image itself comes by multicast.
 */
import type { BlockSource } from '#engine/block-io'
import type { StreamConnection } from '#engine/stream-connection'
import { FormatError } from '#shared/errors'

/** The list and the tables of an image lie together at its end; a partition map and superblocks at its beginning. */
const keptBytes = 64 * 1024 * 1024

/** Closing it leaves the connection open. */
export function connectionSource(connection: StreamConnection, path: string): BlockSource {
  const { blockBytes, sizeBytes } = connection
  const mostKept = Math.max(2, Math.floor(keptBytes / blockBytes))
  const kept = new Map<number, Promise<Uint8Array>>()

  function blockAt(index: number, signal?: AbortSignal): Promise<Uint8Array> {
    const known = kept.get(index)
    kept.delete(index)
    const block = known ?? connection.fetchBlock(index, signal)
    kept.set(index, block)
    // Whoever asks next tries again.
    block.catch(() => kept.delete(index))
    for (const oldest of kept.keys()) {
      if (kept.size <= mostKept) break
      kept.delete(oldest)
    }
    return block
  }

  return {
    path,
    sizeBytes,
    async read(into, offset, signal) {
      if (!(offset >= 0 && offset + into.length <= sizeBytes))
        throw new FormatError('E_SRC_CORRUPT', `${path} ends before ${offset + into.length}`, {
          details: {
            format: 'stream',
            field: 'size',
            offset,
            found: sizeBytes,
            expected: offset + into.length,
            path,
          },
        })
      for (let done = 0; done < into.length;) {
        const at = offset + done
        const index = Math.floor(at / blockBytes)
        const bytes = await blockAt(index, signal)
        const from = at - index * blockBytes
        const part = bytes.subarray(from, from + into.length - done)
        into.set(part, done)
        done += part.length
      }
    },
    [Symbol.asyncDispose]: async () => kept.clear(),
  }
}
