/**
 * The pool: slots of shared, page-aligned memory that workers fill out of order and one reader empties in order. This
 * file is the whole protocol between the threads; nothing else may touch the control words. (`block-map.ts` says which
 * bytes of the disk a block is, and in which slot it lives.)
 *
 * Slot `s` serves blocks s, s + slots, s + 2·slots, … one after another: its *turns* 0, 1, 2, … Five words a slot:
 *
 *     OPEN     the turn that may be filled now                 reader writes at release, workers wait for it
 *     FILLED   bytes filled in this turn                       workers add, reader clears at release
 *     ZEROS    bit p: piece p of the window is all zeros       written by the one who completes the block
 *     FLAGS    bit 0: failed here, its error is in the mail    workers or, reader clears at release
 *              bit 1: nothing follows                          (a stream whose length nobody knew)
 *     READY    turn + 1 once the block is whole                written by the one who completes it, reader waits for it
 *
 *     worker                                      reader
 *     c ← CLAIM++                                 wait until READY ≠ turn of block b
 *     wait until OPEN = turn of each block        hand out b's bytes … until its last item is released, then
 *     write the bytes                             FILLED, ZEROS, FLAGS ← 0
 *     FILLED += their number                      OPEN ← turn + 1, wake everyone waiting for it
 *     if that makes the block whole:              b ← b + 1
 *       look for zeros, ZEROS ← …
 *       READY ← turn + 1, wake the reader
 *
 * Why bytes are never mixed up: a worker writes into a slot only in the turn that is open; the turn is closed (READY)
 * only when every byte of the block was counted, each by the one worker that wrote it, after it wrote it; and the next
 * turn opens only after the reader's last use. All words are written and read with Atomics, which order the plain writes
 * around them.
 *
 * Why it can't lock up: let q be the first byte of the disk not filled yet. Claims are taken in ascending order, and a
 * worker fills what its claim obliges it to in ascending order, so somebody is at the run that holds q, or is free to
 * claim it. That run begins in some block b; all blocks before b are whole, so the reader hands them out, and they get
 * released (that is the caller's promise), which opens the slots of blocks b to b + slots - 1. `slots` is at least the
 * number of windows that a run can span.
 *
 * Stopping: OPEN and READY of every slot become -1, which nobody waits for, and everyone is woken. It is final.
 *
 * Turns are counted modulo 2^30; a slot's waiters are at most one turn from it.
 */
import { allocatePageAligned } from '#engine/block-io'
import { invariant } from '#shared/errors'

/** Shared between the threads of one stream; plain data for `workerData`. */
export interface Ring {
  /** `slots` × `windowBytes`, page-aligned. */
  readonly bytes: Uint8Array<SharedArrayBuffer>
  readonly control: SharedArrayBuffer
  readonly slots: number
  readonly windowBytes: number
}

const OPEN = 0
const FILLED = 1
const ZEROS = 2
const FLAGS = 3
const READY = 4
/** Words a slot: a cache line, so that neighbours don't disturb one another. */
const slotWords = 16
/** The claim counter (64 bits) comes first, in a line of its own. */
const slotsAt = 64

const stopped = -1
const turnModulus = 2 ** 30

export const flagFailed = 1
export const flagLast = 2

/** Throws RangeError when there isn't so much memory. `windowBytes`: whole pages. */
export function allocateRing(slots: number, windowBytes: number): Ring {
  const bytes = allocatePageAligned(slots * windowBytes)
  return { bytes, control: new SharedArrayBuffer(slotsAt + slots * slotWords * 4), slots, windowBytes }
}

/** Thrown out of a worker's waits when the stream was stopped. */
export class RingStopped extends Error {
  override readonly name = 'RingStopped'
}

class RingSide {
  readonly slots: number
  readonly windowBytes: number
  readonly bytes: Uint8Array<SharedArrayBuffer>
  protected readonly words: Int32Array<SharedArrayBuffer>

  constructor(ring: Ring) {
    this.slots = ring.slots
    this.windowBytes = ring.windowBytes
    this.bytes = ring.bytes
    this.words = new Int32Array(ring.control, slotsAt)
  }

  protected word(block: number, word: number): number {
    return (block % this.slots) * slotWords + word
  }

  protected turn(block: number): number {
    return Math.floor(block / this.slots) % turnModulus
  }

  /** Room of `lengthBytes` in `block`, from byte `at` of its window. Runs into the following slots if it is long. */
  view(block: number, at: number, lengthBytes: number): Uint8Array<SharedArrayBuffer> {
    const start = (block % this.slots) * this.windowBytes + at
    return this.bytes.subarray(start, start + lengthBytes)
  }
}

/** The side that fills: one for each worker. */
export class RingFiller extends RingSide {
  readonly #claims: BigInt64Array<SharedArrayBuffer>

  constructor(ring: Ring) {
    super(ring)
    this.#claims = new BigInt64Array(ring.control, 0, 1)
  }

  /** The next claim: 0, 1, 2, … each given to one worker. */
  claim(): number {
    return Number(Atomics.add(this.#claims, 0, 1n))
  }

  get isStopped(): boolean {
    return Atomics.load(this.words, OPEN) === stopped
  }

  /** True when `block` may be filled without waiting. */
  hasRoom(block: number): boolean {
    return Atomics.load(this.words, this.word(block, OPEN)) === this.turn(block)
  }

  /** Wait until `block` may be filled, blocking the thread. Throws RingStopped. */
  waitForRoom(block: number): void {
    for (let open = this.#openLap(block); open !== null; open = this.#openLap(block))
      Atomics.wait(this.words, this.word(block, OPEN), open)
  }

  /** The same, without blocking. */
  async waitForRoomLater(block: number): Promise<void> {
    for (let open = this.#openLap(block); open !== null; open = this.#openLap(block)) {
      const waiting = Atomics.waitAsync(this.words, this.word(block, OPEN), open)
      if (waiting.async) await waiting.value
    }
  }

  /** The turn that is open in the slot of `block`, or null when that is its own. Throws RingStopped. */
  #openLap(block: number): number | null {
    const open = Atomics.load(this.words, this.word(block, OPEN))
    if (open === stopped) throw new RingStopped()
    return open === this.turn(block) ? null : open
  }

  /**
   * `filledBytes` more bytes of `block` are in place. When that makes `wholeBytes`, the block goes to the reader;
   * `zeroPieces` is asked for its ZEROS first, and may mark it as failed.
   */
  fill(block: number, filledBytes: number, wholeBytes: number, zeroPieces: () => number): void {
    const before = Atomics.add(this.words, this.word(block, FILLED), filledBytes)
    invariant(before >= 0 && before + filledBytes <= wholeBytes, 'a byte of a block was filled twice')
    if (before + filledBytes === wholeBytes) this.#complete(block, zeroPieces())
  }

  /** For a single worker that fills block after block: `block` holds `filledBytes`, and is the last one if `isLast`. */
  complete(block: number, content: { filledBytes: number; zeroPieces: number; isLast: boolean }): void {
    Atomics.store(this.words, this.word(block, FILLED), content.filledBytes)
    if (content.isLast) Atomics.or(this.words, this.word(block, FLAGS), flagLast)
    this.#complete(block, content.zeroPieces)
  }

  /** Tell the reader that `block` holds a failure; fill it all the same. Post the error before. */
  markFailed(block: number): void {
    Atomics.or(this.words, this.word(block, FLAGS), flagFailed)
  }

  /** Somebody has marked `block`, which is open. */
  isFailed(block: number): boolean {
    return (Atomics.load(this.words, this.word(block, FLAGS)) & flagFailed) !== 0
  }

  #complete(block: number, zeroPieces: number): void {
    Atomics.store(this.words, this.word(block, ZEROS), zeroPieces)
    const word = this.word(block, READY)
    // Not a plain store: a stop may have come in between, and is final.
    const turn = this.turn(block)
    const before = Atomics.compareExchange(this.words, word, turn, (turn + 1) % turnModulus)
    invariant(before === turn || before === stopped, 'a block was completed twice')
    Atomics.notify(this.words, word)
  }
}

/** What the reader finds in a whole block. */
export interface ReadyBlock {
  readonly filledBytes: number
  /** Bit p: piece p is all zeros. */
  readonly zeroPieces: number
  readonly isFailed: boolean
  readonly isLast: boolean
}

/** The reader's side. Never blocks its thread. */
export class RingReader extends RingSide {
  /** What there is to know of `block`, if it is whole already. Null otherwise, and after `stop`. */
  readyNow(block: number): ReadyBlock | null {
    const ready = Atomics.load(this.words, this.word(block, READY))
    return ready === this.turn(block) || ready === stopped ? null : this.#found(block)
  }

  /** Resolves when `block`, the one after the last handed out, is whole; to null after `stop`. */
  async next(block: number): Promise<ReadyBlock | null> {
    const word = this.word(block, READY)
    const turn = this.turn(block)
    for (;;) {
      const ready = Atomics.load(this.words, word)
      if (ready === stopped) return null
      if (ready !== turn) return this.#found(block)
      const waiting = Atomics.waitAsync(this.words, word, turn)
      if (waiting.async) await waiting.value
    }
  }

  #found(block: number): ReadyBlock {
    const flags = Atomics.load(this.words, this.word(block, FLAGS))
    return {
      filledBytes: Atomics.load(this.words, this.word(block, FILLED)),
      zeroPieces: Atomics.load(this.words, this.word(block, ZEROS)),
      isFailed: (flags & flagFailed) !== 0,
      isLast: (flags & flagLast) !== 0,
    }
  }

  /** Nobody uses the bytes of `block` any more: its slot is free for its next turn. Once for each block. */
  release(block: number): void {
    const word = this.word(block, OPEN)
    const turn = this.turn(block)
    const open = Atomics.load(this.words, word)
    if (open === stopped) return
    invariant(open === turn, 'a block was released twice, or before it was filled')
    Atomics.store(this.words, this.word(block, FILLED), 0)
    Atomics.store(this.words, this.word(block, ZEROS), 0)
    Atomics.store(this.words, this.word(block, FLAGS), 0)
    Atomics.store(this.words, word, (turn + 1) % turnModulus)
    Atomics.notify(this.words, word)
  }

  /** Wake everyone: workers leave, `next` resolves to null. */
  stop(): void {
    for (let slot = 0; slot < this.slots; slot++) {
      for (const word of [OPEN, READY]) {
        Atomics.store(this.words, slot * slotWords + word, stopped)
        Atomics.notify(this.words, slot * slotWords + word)
      }
    }
  }
}
