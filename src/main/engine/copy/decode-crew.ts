/**
 * Threads that decode runs in any order, and the rooms of shared memory they do it in: stored bytes are put into a room, what
 * comes out is written from it, and then it is the next one's. The rooms are all the memory that decoding takes.
 */
import { availableParallelism } from 'node:os'
import { allocatePageAligned } from '#engine/block-io'
import { workerLocation, WorkerThread } from '#engine/threads'
import { BugError, deserializeError } from '#shared/errors'
import type { DecodeAnswer, DecodeOrder, DecodePiece } from './decode-order.ts'

/** A worker is a JavaScript engine with its decoders; see the pipeline's pool. */
const mostWorkers = 4
const mostRooms = 8
const roomsBudgetBytes = 256 * 1024 * 1024

export interface Room {
  readonly stored: Uint8Array<SharedArrayBuffer>
  /** Begins at a page. */
  readonly out: Uint8Array<SharedArrayBuffer>
}

/** A piece that couldn't be decoded. */
export class UndecodedPiece extends Error {
  readonly piece: number

  constructor(piece: number, cause: unknown) {
    super('a piece could not be decoded', { cause })
    this.piece = piece
  }
}

export class DecodeCrew implements AsyncDisposable {
  readonly #sizes: { readonly storedBytes: number; readonly outBytes: number }
  readonly #workers: Lane[] = []
  readonly #idle: Lane[] = []
  readonly #waitingForLane: ((lane: Lane) => void)[] = []
  readonly #free: Room[] = []
  readonly #waitingForRoom: PromiseWithResolvers<Room>[] = []
  readonly #mostRooms: number
  #rooms = 0
  #closed = false

  /** Bytes of a room on either side. */
  constructor(sizes: { readonly storedBytes: number; readonly outBytes: number }) {
    this.#sizes = sizes
    const each = sizes.storedBytes + sizes.outBytes
    this.#mostRooms = Math.max(2, Math.min(mostRooms, Math.floor(roomsBudgetBytes / each)))
  }

  /** As soon as one is free. Rejects when the crew is closed. */
  async take(): Promise<Room> {
    if (this.#closed) throw closedError()
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#rooms < this.#mostRooms) {
      this.#rooms += 1
      return {
        stored: allocatePageAligned(this.#sizes.storedBytes),
        out: allocatePageAligned(this.#sizes.outBytes),
      }
    }
    const waiting = Promise.withResolvers<Room>()
    this.#waitingForRoom.push(waiting)
    return await waiting.promise
  }

  release(room: Room): void {
    const waiting = this.#waitingForRoom.shift()
    if (waiting === undefined) this.#free.push(room)
    else waiting.resolve(room)
  }

  /** Resolves when every piece was decoded; the room is the caller's again. Throws UndecodedPiece, BugError. */
  async decode(room: Room, pieces: readonly DecodePiece[]): Promise<void> {
    const lane = await this.#lane()
    let answer: DecodeAnswer
    try {
      answer = await lane.run({ ...room, pieces })
    } finally {
      const next = this.#waitingForLane.shift()
      if (next === undefined) this.#idle.push(lane)
      else next(lane)
    }
    if (answer !== null) throw new UndecodedPiece(answer.piece, deserializeError(answer.error))
  }

  async #lane(): Promise<Lane> {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    if (this.#workers.length < Math.min(availableParallelism(), mostWorkers)) {
      const lane = new Lane(`decode ${this.#workers.length}`)
      this.#workers.push(lane)
      return lane
    }
    return await new Promise<Lane>((resolve) => this.#waitingForLane.push(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const { reject } of this.#waitingForRoom.splice(0)) reject(closedError())
    await Promise.all(this.#workers.map((lane) => lane.end()))
  }
}

const closedError = () => new BugError('E_BUG', 'the decoders were closed', { details: {} })

/** One thread, one order at a time. */
class Lane {
  readonly #thread: WorkerThread<DecodeOrder, DecodeAnswer>
  #waiting: PromiseWithResolvers<DecodeAnswer> | null = null
  #failure: { readonly reason: unknown } | null = null

  constructor(name: string) {
    this.#thread = new WorkerThread(workerLocation('decode-worker', import.meta.url), {
      name,
      onAnswer: (answer) => {
        const waiting = this.#waiting
        this.#waiting = null
        waiting?.resolve(answer)
      },
      onCrash: (error) => this.#fail(error),
    })
  }

  run(order: DecodeOrder): Promise<DecodeAnswer> {
    if (this.#failure !== null) return Promise.reject(this.#failure.reason)
    this.#waiting = Promise.withResolvers<DecodeAnswer>()
    this.#thread.send(order)
    return this.#waiting.promise
  }

  async end(): Promise<void> {
    this.#fail(closedError())
    await this.#thread.leave()
  }

  #fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.#waiting?.reject(this.#failure.reason)
    this.#waiting = null
  }
}
