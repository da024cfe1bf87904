/**
 * A file whose SHA-256 stands beside it, while a decoder reads it from start to end: what is read is hashed as it passes, on the
 * thread that reads it (the transforms of zlib and zstd have others, and the codecs that don't take many times as long as this).
 * What the decoder leaves out, the contents of a frame that it skips say, is read for the digest alone.
 */
import { createHash } from 'node:crypto'
import type { BlockSource } from '#engine/block-io'

const pieceBytes = 256 * 1024

export class HashedSource implements BlockSource {
  readonly path: string
  readonly sizeBytes: number
  readonly #source: BlockSource
  readonly #hash = createHash('sha256')
  /** Bytes that are in the digest. */
  #hashed = 0
  /** One after the other: reads may end in another order than they began. */
  #turn: Promise<void> = Promise.resolve()

  /** `source` stays the caller's to close. */
  constructor(source: BlockSource) {
    this.path = source.path
    this.sizeBytes = source.sizeBytes
    this.#source = source
  }

  async read(into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void> {
    await this.#source.read(into, offset, signal)
    await this.#inTurn(async () => {
      await this.#reach(offset, signal)
      this.#take(into, offset)
    })
  }

  /**
   * SHA-256 of all of the file, in hexadecimal. Once, and nothing that is read afterwards is in it: a decoder may have read ahead of its
   * end. Throws what reading throws.
   */
  async digest(signal: AbortSignal): Promise<string> {
    return await this.#inTurn(async () => {
      await this.#reach(this.sizeBytes, signal)
      return this.#hash.digest('hex')
    })
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const before = this.#turn
    const turn = Promise.withResolvers<void>()
    this.#turn = turn.promise
    try {
      await before
      return await work()
    } finally {
      turn.resolve()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #take(bytes: Uint8Array, offset: number): void {
    const end = offset + bytes.length
    if (end <= this.#hashed) return
    this.#hash.update(bytes.subarray(this.#hashed - offset))
    this.#hashed = end
  }

  /** What lies before `offset` and wasn't read. */
  async #reach(offset: number, signal: AbortSignal | undefined): Promise<void> {
    while (this.#hashed < offset) {
      const piece = new Uint8Array(Math.min(pieceBytes, offset - this.#hashed))
      await this.#source.read(piece, this.#hashed, signal)
      this.#take(piece, this.#hashed)
    }
  }
}
