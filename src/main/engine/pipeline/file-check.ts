/**
 * A raw image whose SHA-256 stands beside it: the digest is computed of what passes, and compared when all has. Whoever takes
 * the stream to its end, to restore, convert or verify it, learns in place of its last `null` that the image is damaged.
 */
import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { wrongChecksum, type ExtentLayout } from '#engine/formats/extents'
import type { BlockStream, StreamItem } from './block-stream.ts'

const zeros = new Uint8Array(1024 * 1024)
/** Of zeros, which come in stretches of any length, before somebody else may have a turn. */
const turnBytes = 32 * 1024 * 1024

/**
 * `stream` as it is; `next` throws FormatError E_SRC_CORRUPT at its end. Closed with the result. A stream with unused space is
 * of a part of the image, and nothing is compared.
 */
export function checkedAgainstFile(
  stream: BlockStream,
  { sha256, lengthBytes }: NonNullable<ExtentLayout['fileCheck']>,
  path: string,
): BlockStream {
  let hash: ReturnType<typeof createHash> | null = createHash('sha256')
  const within = (offset: number, length: number) => Math.max(0, Math.min(length, lengthBytes - offset))

  async function count(item: StreamItem): Promise<void> {
    if (item.kind === 'data') hash?.update(item.bytes.subarray(0, within(item.offset, item.bytes.length)))
    else if (item.kind === 'unused') hash = null
    else {
      const length = within(item.offset, item.lengthBytes)
      for (let done = 0; done < length; done += zeros.length) {
        hash?.update(zeros.subarray(0, length - done))
        if (done % turnBytes === turnBytes - zeros.length) await turn()
      }
    }
  }

  return {
    counters: () => stream.counters(),
    async next() {
      const item = await stream.next()
      if (item !== null) {
        await count(item)
        return item
      }
      const found = hash?.digest('hex') ?? sha256
      hash = null
      if (found !== sha256) throw wrongChecksum(path, sha256, found)
      return null
    },
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  }
}
