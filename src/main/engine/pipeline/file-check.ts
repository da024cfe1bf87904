/**
 * A raw image whose SHA-256 stands beside it: the digest is computed of what passes, by a thread of its own, and compared when
 * all has. Whoever takes the stream to its end, to restore, convert or verify it, learns in place of its last `null` that the
 * image is damaged.
 */
import { availableParallelism } from 'node:os'
import { wrongChecksum, type FileChecksum } from '#engine/formats/extents'
import { createInlineLane, createThreadLane, type HashLane } from '#engine/hashing'
import { invariant } from '#shared/errors'
import type { BlockStream, StreamItem } from './block-stream.ts'

/** A thread takes 25 ms to start; so long does this much take without it. */
const inlineBytes = 32 * 1024 * 1024
/** Of zeros, which come in stretches of any length, in one order. */
const zerosAtOnce = 32 * 1024 * 1024

/**
 * `stream` as it is; `next` throws FormatError E_SRC_CORRUPT at its end. Closed with the result. A stream with unused space is
 * of a part of the image, and nothing is compared.
 */
export function checkedAgainstFile(
  stream: BlockStream,
  { sha256, lengthBytes }: FileChecksum,
  path: string,
): BlockStream {
  const isSmall = lengthBytes <= inlineBytes || availableParallelism() === 1
  const lane = isSmall ? createInlineLane() : createThreadLane('file')
  const check = new FileCheck(lane, lengthBytes)
  return {
    counters: () => stream.counters(),
    async next() {
      const item = await stream.next()
      if (item !== null) return await check.count(item)
      const found = await check.finish()
      if (found !== null && found !== sha256) throw wrongChecksum(path, sha256, found)
      return null
    },
    async [Symbol.asyncDispose]() {
      try {
        await stream[Symbol.asyncDispose]()
      } finally {
        await lane[Symbol.asyncDispose]()
      }
    },
  }
}

class FileCheck {
  readonly #lane: HashLane
  readonly #lengthBytes: number
  #isWhole = true
  #found: string | null = null
  /** What broke the lane. */
  #failure: { readonly reason: unknown } | null = null

  constructor(lane: HashLane, lengthBytes: number) {
    this.#lane = lane
    this.#lengthBytes = lengthBytes
  }

  /** The next item; its buffer goes back when it was released here and was hashed. Throws what broke the lane. */
  async count(item: StreamItem): Promise<StreamItem> {
    if (this.#failure !== null) throw this.#failure.reason
    if (item.kind === 'unused') this.#isWhole = false
    if (!this.#isWhole || item.kind === 'unused') return item
    if (item.kind === 'zero') {
      const length = this.#within(item.offset, item.lengthBytes)
      for (let done = 0; done < length; done += zerosAtOnce)
        await this.#lane.run({
          memory: null,
          steps: [{ kind: 'zeros', lengthBytes: Math.min(zerosAtOnce, length - done) }],
        })
      return item
    }
    const { bytes } = item
    invariant(bytes.buffer instanceof SharedArrayBuffer, 'hash lanes read shared memory')
    const lengthBytes = this.#within(item.offset, bytes.length)
    let users = 2
    const release = () => {
      users -= 1
      if (users === 0) item.release()
    }
    this.#lane
      .run({ memory: bytes.buffer, steps: [{ kind: 'bytes', at: bytes.byteOffset, lengthBytes }] })
      .catch((reason: unknown) => {
        this.#failure ??= { reason }
      })
      .finally(release)
    return { ...item, release }
  }

  /** After the last item, as often as asked. SHA-256 in hexadecimal; null when not all of the file has come. */
  async finish(): Promise<string | null> {
    if (this.#failure !== null) throw this.#failure.reason
    if (!this.#isWhole || this.#found !== null) return this.#found
    const [end] = await this.#lane.run({ memory: null, steps: [{ kind: 'end', key: 0 }] })
    invariant(end !== undefined, 'an order that ends a digest answers it')
    this.#found = Buffer.from(end.digest).toString('hex')
    return this.#found
  }

  /** How much of `length` bytes at `offset` is in the file. */
  #within(offset: number, length: number): number {
    return Math.max(0, Math.min(length, this.#lengthBytes - offset))
  }
}
