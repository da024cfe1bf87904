/**
 * The blocks of a stream that are needed soon, read ahead of the sender, each compared with its hash: a file that changed under
 * the stream must not keep a room of clients throwing blocks away. Memory is bounded; room is used again.
 */
import { webcrypto } from 'node:crypto'
import { DeviceError } from '#shared/errors'
import type { SequentialLayout } from '#engine/multicast/layout'
import { isNoAnswer, lookMs, noAnswer, unansweredMs } from './no-answer.ts'
import { SingleReads } from './single-reads.ts'

export interface ReadBytes {
  /** Fill `into` from `offset`, all of it, or throw. */
  (into: Uint8Array, offset: number): Promise<void>
}

export interface BlockCacheOptions {
  readonly layout: SequentialLayout
  /** For messages. */
  readonly path: string
  readonly read: ReadBytes
  readonly hashOf: (block: number) => Uint8Array
  /** Blocks held. */
  readonly most: number
  /** A block came. */
  readonly arrived: () => void
  /**
   * It can't be read, isn't what it was, or there is no answer, which is said again and again then. `failingMs`: for how long none could
   * be. Reading it is tried again, or still waited for.
   */
  readonly failed: (error: unknown, failingMs: number) => void
  /** What takes longer has no answer. Default: some seconds; Infinity for a source that gives up by itself. */
  readonly unansweredMs?: number
  /** Counts ms. Default: this thread's clock. */
  readonly now?: () => number
}

/** Reads at a time: enough to keep a disk or a server busy. */
const parallel = 4
const againMs = 1000

export class BlockCache {
  readonly #options: BlockCacheOptions
  /** The least recently wanted first. */
  readonly #blocks = new Map<number, Uint8Array>()
  /** When each was begun, the first one first. */
  readonly #reading = new Map<number, number>()
  readonly #singles: SingleReads
  readonly #free: Uint8Array[] = []
  #wanted: readonly number[] = []
  readonly #now: () => number
  /** When the last one came that could be read. */
  #readMs = -Infinity
  /** Reads at the same time fail together: it is one failure, from the first of them on. */
  #failingSinceMs: number | null = null
  #pausedUntilMs = 0
  #watch: NodeJS.Timeout | null = null
  #isClosed = false

  constructor(options: BlockCacheOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    const { layout, path } = options
    this.#singles = new SingleReads({
      read: async (block) => {
        const bytes = new Uint8Array(layout.lengthOf(block))
        await this.#readChecked(block, bytes)
        return bytes
      },
      unansweredMs: options.unansweredMs ?? unansweredMs,
      noAnswer: (block) => noAnswer(path, block * layout.blockBytes),
      now: this.#now,
    })
  }

  /** Its bytes, until the next call of `want`; null: it isn't here (yet). */
  get(block: number): Uint8Array | null {
    return this.#blocks.get(block) ?? null
  }

  /** Have these at hand, the first one first. Forgets what was wanted before, but keeps what is there while there is room. */
  want(blocks: readonly number[]): void {
    this.#wanted = blocks.slice(0, this.#options.most - parallel)
    // From the last to the first, so that the first one is the last to be given up.
    for (const block of this.#wanted.toReversed()) {
      const bytes = this.#blocks.get(block)
      if (bytes === undefined) continue
      this.#blocks.delete(block)
      this.#blocks.set(block, bytes)
    }
    this.#fill()
  }

  /** One block outside of the stream, for a client that fetches. Throws what reading throws; DeviceError E_IO_READ for no answer. */
  async readOne(block: number): Promise<Uint8Array> {
    return this.#blocks.get(block)?.slice() ?? (await this.#singles.read(block))
  }

  /**
   * Since when a block counts as one that can't be read, now that `readOne` threw `error`; `sinceMs`: as this said the last time. What
   * isn't answered isn't asked for anew, so that it may have been silent while others were read. What can't be read is.
   */
  failingFrom(error: unknown, sinceMs: number = this.#now()): number {
    return isNoAnswer(error) ? Math.max(sinceMs, this.#singles.readMs) : sinceMs
  }

  close(): void {
    this.#isClosed = true
    this.#singles.close()
    this.#lookLater()
    this.#blocks.clear()
    this.#free.length = 0
  }

  #fill(): void {
    if (this.#isClosed || performance.now() < this.#pausedUntilMs) return
    for (const block of this.#wanted) {
      if (this.#reading.size >= parallel) return
      if (!this.#blocks.has(block) && !this.#reading.has(block)) void this.#load(block)
    }
  }

  async #load(block: number): Promise<void> {
    const { layout, most, arrived, failed } = this.#options
    const beganMs = this.#now()
    this.#reading.set(block, beganMs)
    this.#lookLater()
    while (this.#blocks.size + this.#reading.size > most) {
      const oldest = this.#blocks.entries().next().value
      if (oldest === undefined) break
      this.#blocks.delete(oldest[0])
      this.#free.push(oldest[1])
    }
    const room = this.#free.pop() ?? new Uint8Array(layout.blockBytes)
    // Of the last block there are fewer bytes; what its room holds is whole again when it serves another.
    const bytes = new Uint8Array(room.buffer, 0, layout.lengthOf(block))
    try {
      await this.#readChecked(block, bytes)
      this.#readMs = this.#now()
      this.#failingSinceMs = null
      if (!this.#isClosed) {
        this.#blocks.set(block, bytes)
        arrived()
      }
    } catch (error) {
      const failingMs = this.#failingSince(beganMs)
      this.#pausedUntilMs = performance.now() + againMs
      this.#free.push(room)
      if (!this.#isClosed) {
        setTimeout(() => this.#fill(), againMs + 1).unref()
        failed(error, failingMs)
      }
    } finally {
      this.#reading.delete(block)
      this.#lookLater()
    }
    this.#fill()
  }

  /** For how long nothing could be read, now that a read can't be that was begun then. */
  #failingSince(beganMs: number): number {
    this.#failingSinceMs ??= Math.max(beganMs, this.#readMs)
    return this.#now() - this.#failingSinceMs
  }

  /** As long as something is read, whether it is answered. */
  #lookLater(): void {
    const isToLook = this.#reading.size > 0 && !this.#isClosed
    if (isToLook) this.#watch ??= setInterval(() => this.#look(), lookMs).unref()
    else if (this.#watch !== null) {
      clearInterval(this.#watch)
      this.#watch = null
    }
  }

  /** What isn't answered isn't given up: its room is still written to when it is, and another read would only wait as well. */
  #look(): void {
    const { layout, path, failed, unansweredMs: mostMs = unansweredMs } = this.#options
    const [[block, beganMs] = [0, Infinity]] = this.#reading
    if (this.#now() - beganMs < mostMs) return
    failed(noAnswer(path, block * layout.blockBytes), this.#failingSince(beganMs))
  }

  async #readChecked(block: number, bytes: Uint8Array): Promise<void> {
    const { layout, path, read, hashOf } = this.#options
    await read(bytes, block * layout.blockBytes)
    // In a thread of its own: the sender mustn't wait for it.
    const found = new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes))
    if (Buffer.compare(found, hashOf(block)) === 0) return
    const offset = block * layout.blockBytes
    throw new DeviceError('E_SRC_CHANGED', `${path} isn't what it was at ${offset}`, {
      details: { path, offset },
    })
  }
}
