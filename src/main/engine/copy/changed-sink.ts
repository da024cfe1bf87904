/**
 * A destination that is read before it is written: only what differs goes to the medium. Both ends of the disk are blanked
 * before the first write of all, and written last, so that an interrupted restore looks as blank here as any other; when
 * nothing differs, nothing is written at all.
 *
 * One handle, one restore. The copy calls it like any sink, and `writeEnds` in the end.
 */
import { allocatePageAligned, type BlockSink, type OnPiece } from '#engine/block-io'
import { blankEnds, diskEnds, type DiskEnds } from './disk-ends.ts'
import type { HeadBlocks } from './head-blocks.ts'
import { findZeros, readHeld, zeroRoomBytes } from './read-held.ts'

export interface ChangedSinkOptions {
  /** Stays the caller's to close. */
  readonly sink: BlockSink
  /** Bytes the destination holds now: a device's size, or a file's. */
  readonly heldBytes: number
  /** A file keeps this size; null: it takes the source's. */
  readonly fixedBytes: number | null
  /** Called for every stretch that may be different on the medium now. */
  readonly onWritten: (offset: number, lengthBytes: number) => void
  readonly signal: AbortSignal
}

/** What is written, if anything in it differs. Large enough for a flash disk's own pages, small enough to spare most. */
const granuleBytes = 64 * 1024
/** What is read at once. */
const pieceBytes = 1024 * 1024

export class ChangedSink implements BlockSink {
  readonly path: string
  readonly sizeBytes: number | null
  readonly alignmentBytes: number
  readonly #options: ChangedSinkOptions
  readonly #sink: BlockSink
  readonly #ends: DiskEnds
  /** What has to be in the tail. The rest of it is zeros, as after any restore. */
  readonly #tail: Uint8Array
  /** To read into, those that are free. */
  readonly #rooms: Uint8Array[] = []
  readonly #zeroRooms: Uint8Array[] = []
  #heldBytes: number
  #changed = false
  #blanked: Promise<void> | null = null
  #writtenBytes = 0
  #zeroedBytes = 0

  constructor(options: ChangedSinkOptions) {
    const { sink, heldBytes } = options
    this.path = sink.path
    this.sizeBytes = sink.sizeBytes
    this.alignmentBytes = sink.alignmentBytes
    this.#options = options
    this.#sink = sink
    this.#heldBytes = heldBytes
    this.#ends = diskEnds(sink, heldBytes)
    this.#tail = allocatePageAligned(this.#ends.tailEnd - this.#ends.tailStart)
  }

  /** Bytes that were sent. */
  get writtenBytes(): number {
    return this.#writtenBytes
  }

  /** Bytes that became zeros without being sent. */
  get zeroedBytes(): number {
    return this.#zeroedBytes
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    const [from, to] = this.#inTail(offset, bytes.length)
    if (to > from) this.#tail.set(bytes.subarray(from, to), offset + from - this.#ends.tailStart)
    await this.#change(bytes.subarray(0, from), offset)
    await this.#change(bytes.subarray(to), offset + to)
  }

  async zero(
    offset: number,
    lengthBytes: number,
    signal: AbortSignal = this.#options.signal,
    onPiece?: OnPiece,
  ): Promise<'written'> {
    const [from, to] = this.#inTail(offset, lengthBytes)
    if (to > from) {
      const start = offset - this.#ends.tailStart
      this.#tail.fill(0, start + from, start + to)
    }
    await this.#clear(offset, from, signal, onPiece)
    await this.#clear(offset + to, lengthBytes - to, signal, onPiece)
    return 'written'
  }

  /** Unused space is left as it is, but for the ends of the disk. */
  async discard(): Promise<'left'> {
    return 'left'
  }

  async flush(): Promise<void> {
    if (this.#changed) await this.#sink.flush()
  }

  read(into: Uint8Array, offset: number): Promise<void> {
    return this.#sink.read(into, offset)
  }

  async finish(): Promise<void> {
    // Part of `writeEnds`, which knows the head.
  }

  /**
   * Everything was told: writes both ends, the head last, and gives a file its size. Returns the number of bytes of the
   * head that were written.
   */
  async writeEnds(head: HeadBlocks, sizeBytes: number): Promise<number> {
    const { headEnd, tailStart, tailEnd } = this.#ends
    const isFile = this.sizeBytes === null
    const endBytes = this.#options.fixedBytes ?? sizeBytes
    const first = head.bytes.subarray(0, isFile ? Math.min(head.bytes.length, endBytes) : headEnd)
    const tail = this.#tail.subarray(
      0,
      Math.max(0, (isFile ? Math.min(tailEnd, endBytes) : tailEnd) - tailStart),
    )
    const isRight =
      this.#blanked === null && (await this.#isSame(first, 0)) && (await this.#isSame(tail, tailStart))
    if (!isRight) {
      // Blanking one of them takes the other with it.
      await this.#blank()
      await this.#change(tail, tailStart)
    }
    if (isFile) await this.#resize(sizeBytes, endBytes)
    if (isRight) {
      await this.flush()
      return 0
    }
    const written = await head.write(this.#sink, sizeBytes)
    this.#wrote(0, written)
    return written
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The sink is the caller's.
  }

  /** The part of a stretch that belongs to the tail, from the stretch's beginning. */
  #inTail(offset: number, lengthBytes: number): readonly [number, number] {
    const { tailStart, tailEnd } = this.#ends
    const from = Math.max(0, Math.min(lengthBytes, tailStart - offset))
    return [from, Math.max(from, Math.min(lengthBytes, tailEnd - offset))]
  }

  /** Before any write, however many are under way. */
  #blank(): Promise<void> {
    this.#blanked ??= this.#blankEnds()
    return this.#blanked
  }

  async #blankEnds(): Promise<void> {
    const { tailStart, tailEnd } = this.#ends
    this.#changed = true
    await blankEnds(this.#sink, this.#ends, this.#options.signal)
    // The head will be written as a whole, the tail only where it isn't zeros.
    this.#options.onWritten(tailStart, tailEnd - tailStart)
  }

  #wrote(offset: number, lengthBytes: number): void {
    this.#writtenBytes += lengthBytes
    this.#options.onWritten(offset, lengthBytes)
  }

  /** The destination gets `bytes` at `offset`, as far as it has something else there. */
  async #change(bytes: Uint8Array, offset: number): Promise<void> {
    for await (const [from, to] of this.#differences(bytes, offset)) {
      await this.#blank()
      await this.#sink.write(bytes.subarray(from, to), offset + from)
      this.#wrote(offset + from, to - from)
    }
  }

  async #isSame(bytes: Uint8Array, offset: number): Promise<boolean> {
    for await (const _difference of this.#differences(bytes, offset)) return false
    return true
  }

  /** Stretches of `bytes`, from and to, that differ from what is at `offset`; whole granules, neighbours as one. */
  async *#differences(bytes: Uint8Array, offset: number): AsyncGenerator<readonly [number, number]> {
    for (let done = 0; done < bytes.length;) {
      const length = Math.min(bytes.length - done, pieceBytes - ((offset + done) % pieceBytes))
      const wanted = bytes.subarray(done, done + length)
      for (const [from, to] of await this.#compare(wanted, offset + done)) yield [done + from, done + to]
      done += length
    }
  }

  async #compare(wanted: Uint8Array, offset: number): Promise<readonly (readonly [number, number])[]> {
    const room = this.#rooms.pop() ?? allocatePageAligned(pieceBytes)
    try {
      // What a file doesn't have yet will be a hole.
      const heldBytes = this.#heldBytes
      await readHeld(this.#sink, room, { offset, lengthBytes: wanted.length, heldBytes })
      this.#options.signal.throwIfAborted()
      const found = room.subarray(0, wanted.length)
      return Buffer.compare(found, wanted) === 0 ? [] : differingGranules(found, wanted, offset)
    } finally {
      this.#rooms.push(room)
    }
  }

  /**
   * The stretch reads as zeros, if it didn't. A file that is shorter has nothing there, which is as good. `onPiece` hears of what was
   * zeros already, too.
   */
  async #clear(
    offset: number,
    lengthBytes: number,
    signal: AbortSignal,
    onPiece: OnPiece | undefined,
  ): Promise<void> {
    const stretch = { offset, lengthBytes: Math.min(lengthBytes, this.#heldBytes - offset) }
    if (stretch.lengthBytes <= 0) return
    const end = stretch.offset + stretch.lengthBytes
    let begin: number | null = null
    const room = this.#zeroRooms.pop() ?? allocatePageAligned(zeroRoomBytes)
    try {
      for await (const { from, to, isZero } of findZeros(this.#sink, stretch, signal, room)) {
        if (!isZero) begin ??= from
        if (!isZero && to < end) continue
        if (begin !== null) await this.#zeroNow(begin, isZero ? from : to, signal, onPiece)
        begin = null
        if (isZero) await onPiece?.(to - from, 'written')
      }
    } finally {
      this.#zeroRooms.push(room)
    }
  }

  async #zeroNow(from: number, to: number, signal: AbortSignal, onPiece: OnPiece | undefined): Promise<void> {
    await this.#blank()
    const how = await this.#sink.zero(from, to - from, signal, onPiece)
    if (how === 'written') this.#writtenBytes += to - from
    else this.#zeroedBytes += to - from
    this.#options.onWritten(from, to - from)
  }

  /** A file of `endBytes` with zeros after the source's `sizeBytes`. */
  async #resize(sizeBytes: number, endBytes: number): Promise<void> {
    const rest = { offset: sizeBytes, lengthBytes: Math.min(this.#heldBytes, endBytes) - sizeBytes }
    let restIsZero = true
    for await (const { isZero } of findZeros(this.#sink, rest, this.#options.signal)) restIsZero &&= isZero
    if (!restIsZero || this.#heldBytes !== endBytes) {
      this.#changed = true
      if (!restIsZero) await this.#sink.finish(sizeBytes)
      await this.#sink.finish(endBytes)
    }
    this.#heldBytes = endBytes
  }
}

/** Granules begin at multiples of their size on the disk. */
function differingGranules(
  found: Uint8Array,
  wanted: Uint8Array,
  offset: number,
): readonly (readonly [number, number])[] {
  const runs: [number, number][] = []
  for (let from = 0; from < wanted.length;) {
    const to = Math.min(wanted.length, from + granuleBytes - ((offset + from) % granuleBytes))
    const differs = Buffer.compare(found.subarray(from, to), wanted.subarray(from, to)) !== 0
    const last = runs.at(-1)
    if (differs && last?.[1] === from) last[1] = to
    else if (differs) runs.push([from, to])
    from = to
  }
  return runs
}
