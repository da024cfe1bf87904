/** The first bytes of a volume, where most of what tells whose it is lies. */
import { readableOrNull } from '#engine/formats/struct'

/** All at once is quickest; beside a bad sector as much as possible still counts. */
const pieceSizes = [16_384, 4096]

/**
 * `lengthBytes` from the start. What can't be read (`UnreadableError`) is zeros: nobody's mark. Rejects with whatever else
 * `read` throws.
 */
export async function readHead(
  read: (offset: number, lengthBytes: number) => Promise<Uint8Array>,
  lengthBytes: number,
): Promise<Buffer> {
  const head = Buffer.alloc(lengthBytes)
  const fill = async (from: number, to: number, [next, ...smaller]: readonly number[]) => {
    const bytes = await readableOrNull(read(from, to - from))
    if (bytes !== null) head.set(bytes, from)
    else if (next !== undefined)
      for (let at = from; at < to; at += next) await fill(at, Math.min(to, at + next), smaller)
  }
  await fill(0, lengthBytes, pieceSizes)
  return head
}
