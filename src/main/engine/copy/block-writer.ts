/**
 * Blocks of a stream onto a disk, in whatever order they come: each run is decoded and written as soon as all of it is
 * here. It knows which blocks are on the disk with all that is in them, which is what a journal may say.
 */
import type { BlockSink } from '#engine/block-io'
import { kindIndex } from '#engine/formats/extents'
import { AppError, FormatError, invariant } from '#shared/errors'
import { isZeros } from './block-checksums.ts'
import { DecodeCrew, UndecodedPiece, type Room } from './decode-crew.ts'
import { headBytes, type HeadBlocks } from './head-blocks.ts'
import { createPieceWriter } from './piece-writer.ts'
import { planBatches, type Batch } from './plan-batches.ts'
import { createRunEdges } from './run-edges.ts'
import type { StoredPiece, StreamRuns } from './stream-runs.ts'
import { createWriteQueue } from './write-queue.ts'

export interface BlockWriterOptions {
  readonly runs: StreamRuns
  readonly sink: BlockSink
  readonly head: HeadBlocks
  /** Size of the disk inside the image. */
  readonly sizeBytes: number
  /** For messages. */
  readonly path: string
  /** Blocks that are on the disk already, a byte each. Null: none. */
  readonly have: Uint8Array | null
  /** For runs of which only a part is here. */
  readonly edgeBytes: number
  readonly signal: AbortSignal
  readonly now: () => number
  /** The block isn't needed any more. */
  readonly onKept: (block: number) => void
  /** The block must come again. */
  readonly onReturned: (block: number) => void
  /** So many more bytes of the disk are done. `how`: zeros needn't be sent everywhere. */
  readonly onWritten: (bytes: number, how: 'written' | 'zeroed') => void
}

/** Runs are decoded into rooms of at least this. */
const leastRoomBytes = 1024 ** 2
const pageBytes = 4096
/** Runs in the making, decoding or being written. */
const runsInFlight = 8
/** Of those, so many may be written at once: see `copyBlocks`. */
const writesInFlight = 4

export class BlockWriter implements AsyncDisposable {
  /** A byte a block: 1 when all that is in it is on the disk and not only in memory. Flush before believing it. */
  readonly complete: Uint8Array
  /** Bytes of the disk that `have` stood for. */
  readonly hadBytes: number
  readonly #options: BlockWriterOptions
  readonly #crew: DecodeCrew
  readonly #sizes: { readonly storedBytes: number; readonly outBytes: number }
  readonly #edges
  readonly #queue = createWriteQueue(runsInFlight)
  readonly #writePieces
  readonly #writing = createGate(writesInFlight)
  /** By block: it was taken and isn't needed again. */
  readonly #taken: Uint8Array
  /** By block: all of its runs but those that span blocks are on the disk. */
  readonly #ownDone: Uint8Array
  /** By run: it spans blocks, and all of it was here: it is being written. A block of it may come again for another run's sake. */
  readonly #spanTaken: Uint8Array
  /** By run: it spans blocks, and is on the disk. */
  readonly #spanDone: Uint8Array
  /** What is only in memory until the end is never complete. */
  readonly #inHead: Uint8Array
  #left: number

  constructor(options: BlockWriterOptions) {
    const { runs, sink, now, edgeBytes, have } = options
    this.#options = options
    this.complete = new Uint8Array(runs.blocks)
    this.#taken = new Uint8Array(runs.blocks)
    this.#ownDone = new Uint8Array(runs.blocks)
    this.#spanTaken = new Uint8Array(runs.count)
    this.#spanDone = new Uint8Array(runs.count)
    this.#inHead = runs.blocksOfHead(headBytes)
    this.#edges = createRunEdges(edgeBytes)
    this.#writePieces = createPieceWriter(sink, now)
    this.#sizes = {
      storedBytes: Math.max(runs.blockBytes, runs.largestStored),
      outBytes: Math.max(leastRoomBytes, runs.largestRun),
    }
    // Within a room, bytes lie as they do within the disk's pages; its end may be filled up to a whole block.
    this.#crew = new DecodeCrew({
      storedBytes: this.#sizes.storedBytes,
      outBytes: this.#sizes.outBytes + 2 * pageBytes,
    })
    this.#left = runs.blocks
    this.hadBytes = have === null ? 0 : this.#takeOver(have)
  }

  /** True when every block was taken and all of it is written, its head excepted. */
  get isDone(): boolean {
    return this.#left === 0
  }

  /**
   * Take a block whose hash was right. Resolves when its bytes aren't needed any more, which is before they are written; one
   * call at a time. Throws FormatError E_SRC_CORRUPT, what writing throws, also of earlier blocks.
   */
  async take(block: number, bytes: Uint8Array): Promise<void> {
    const { runs, onKept } = this.#options
    if (this.#taken[block] === 1) return onKept(block)
    this.#taken[block] = 1
    const own: StoredPiece[] = []
    const whole: { readonly index: number; readonly bytes: Uint8Array }[] = []
    let isKept = true
    const [first, end] = runs.within(block)
    const start = runs.startOf(block)
    for (let index = first; index < end; index++) {
      const run = runs.run(index)
      if (!runs.isSpanning(index)) {
        if (run.kind === kindIndex.raw) own.push(...this.#cut(runs.rawPart(index, block)))
        else own.push(run)
      } else if (this.#spanTaken[index] === 0) {
        const from = Math.max(run.at, start)
        const to = Math.min(run.at + run.storedBytes, start + bytes.length)
        const part = { block, runBytes: run.storedBytes, offset: from - run.at }
        const added = this.#edges.add(index, part, bytes.subarray(from - start, to - start))
        if (added.kind === 'whole') {
          this.#spanTaken[index] = 1
          whole.push({ index, bytes: added.bytes })
        }
        isKept &&= added.kind !== 'full'
      }
    }
    const batches = this.#ownDone[block] === 1 ? [] : planBatches(own, this.#sizes)
    let open = batches.length
    const ownWritten = () => {
      this.#ownDone[block] = 1
      this.#look(block)
      if (isKept) {
        this.#left -= 1
        onKept(block)
      } else {
        this.#taken[block] = 0
        this.#options.onReturned(block)
      }
    }
    for (const { index, bytes: stored } of whole) {
      const [batch] = planBatches([runs.run(index)], this.#sizes)
      invariant(batch !== undefined, 'a run makes a batch')
      await this.#start(batch, stored, () => {
        this.#spanDone[index] = 1
        const [from, to] = runs.span(index)
        for (let each = from; each <= to; each++) this.#look(each)
      })
    }
    for (const batch of batches)
      await this.#start(batch, bytes.subarray(batch.at - start, batch.at - start + batch.storedBytes), () => {
        open -= 1
        if (open === 0) ownWritten()
      })
    if (batches.length === 0) ownWritten()
  }

  /** Resolves when nothing is under way; throws a failure. */
  async idle(): Promise<void> {
    await this.#queue.idle()
  }

  /** What `other` comes to, or the first failure of a write. One call at a time, not beside `take`. */
  during<T>(other: Promise<T>): Promise<T> {
    return this.#queue.during(other)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Buffers under way belong to the system until it gives them back; decoders needn't be waited for.
    const ended = this.#crew[Symbol.asyncDispose]()
    await this.#queue.settled()
    await ended
  }

  /** Put the stored bytes into a room, and have them decoded and written from there. */
  async #start(batch: Batch, stored: Uint8Array, done: () => void): Promise<void> {
    const room = await this.#queue.during(this.#crew.take())
    let started = false
    try {
      this.#options.signal.throwIfAborted()
      room.stored.set(stored)
      await this.#queue.start(async () => {
        started = true
        try {
          await this.#decode(batch, room)
          await this.#writing(() => this.#write(batch, room))
        } finally {
          this.#crew.release(room)
        }
        done()
      })
    } finally {
      if (!started) this.#crew.release(room)
    }
  }

  async #decode({ pieces, at, diskOffset }: Batch, room: Room): Promise<void> {
    const base = diskOffset % pageBytes
    const decoded = pieces.filter(({ kind }) => kind !== kindIndex.raw)
    for (const piece of pieces) {
      if (piece.kind !== kindIndex.raw) continue
      const from = base + piece.diskOffset - diskOffset
      room.out.set(room.stored.subarray(piece.at - at, piece.at - at + piece.storedBytes), from)
      room.out.fill(0, from + piece.storedBytes, from + piece.diskBytes)
    }
    if (decoded.length === 0) return
    try {
      await this.#crew.decode(
        room,
        decoded.map((piece) => ({
          kind: piece.kind,
          storedFrom: piece.at - at,
          storedBytes: piece.storedBytes,
          outFrom: base + piece.diskOffset - diskOffset,
          outBytes: piece.diskBytes,
        })),
      )
    } catch (error) {
      if (!(error instanceof UndecodedPiece)) throw error
      throw placed(error, decoded[error.piece], this.#options.path)
    }
  }

  async #write({ diskOffset, diskBytes }: Batch, { out }: Room): Promise<void> {
    const { sink, head, sizeBytes, signal, onWritten } = this.#options
    signal.throwIfAborted()
    const base = diskOffset % pageBytes
    const bytes = out.subarray(base, base + diskBytes)
    const kept = head.keep(bytes, diskOffset)
    const from = diskOffset + kept
    const end = diskOffset + diskBytes
    if (from < end) {
      // The last block of a device is filled up with zeros.
      const unit = sink.sizeBytes === null || end < sizeBytes ? 1 : sink.alignmentBytes
      const paddedEnd = Math.ceil(end / unit) * unit
      if (isZeros(bytes.subarray(kept))) {
        const how = await sink.zero(from, paddedEnd - from, signal)
        onWritten(end - from, how === 'written' ? 'written' : 'zeroed')
      } else {
        out.fill(0, base + diskBytes, base + paddedEnd - diskOffset)
        await this.#writeAligned(out.subarray(base + kept, base + paddedEnd - diskOffset), from)
        onWritten(end - from, 'written')
      }
    }
    if (kept > 0) onWritten(kept, 'written')
  }

  /** What shares a unit of the medium with other runs goes by itself, so that the rest goes straight. */
  async #writeAligned(bytes: Uint8Array, offset: number): Promise<void> {
    const { sink, signal } = this.#options
    const unit = sink.alignmentBytes
    const end = offset + bytes.length
    const from = Math.min(end, Math.ceil(offset / unit) * unit)
    const to = Math.max(from, Math.floor(end / unit) * unit)
    const part = (start: number, stop: number) => bytes.subarray(start - offset, stop - offset)
    if (from > offset) await sink.write(part(offset, from), offset)
    if (to > from) await this.#writePieces(part(from, to), from, signal, () => undefined)
    if (end > to) await sink.write(part(to, end), to)
  }

  /** A raw piece that is larger than a room. */
  *#cut(piece: StoredPiece): Generator<StoredPiece> {
    const most = this.#sizes.outBytes
    for (let done = 0; done < piece.diskBytes; done += most) {
      const diskBytes = Math.min(most, piece.diskBytes - done)
      yield {
        kind: piece.kind,
        at: piece.at + done,
        storedBytes: Math.max(0, Math.min(diskBytes, piece.storedBytes - done)),
        diskOffset: piece.diskOffset + done,
        diskBytes,
      }
    }
  }

  /** Mark what an earlier run left on the disk. Returns its bytes. */
  #takeOver(have: Uint8Array): number {
    const { runs } = this.#options
    let bytes = 0
    for (let block = 0; block < runs.blocks; block++) {
      if (have[block] !== 1 || this.#inHead[block] === 1) continue
      this.#taken[block] = 1
      this.#ownDone[block] = 1
      this.complete[block] = 1
      this.#left -= 1
      const [first, end] = runs.within(block)
      for (let index = first; index < end; index++) {
        if (runs.run(index).kind === kindIndex.raw) bytes += runs.rawPart(index, block).diskBytes
        else if (!runs.isSpanning(index)) bytes += runs.run(index).diskBytes
        else if (this.#spanDone[index] === 0) {
          this.#spanTaken[index] = 1
          this.#spanDone[index] = 1
          bytes += runs.run(index).diskBytes
        }
      }
    }
    return bytes
  }

  /** Is all of it on the disk now? */
  #look(block: number): void {
    if (this.#ownDone[block] === 0 || this.#inHead[block] === 1) return
    const { runs } = this.#options
    const [first, end] = runs.within(block)
    // Only the first and the last run of a block can reach out of it.
    for (const index of [first, end - 1])
      if (index >= first && index < end && runs.isSpanning(index) && this.#spanDone[index] === 0) return
    this.complete[block] = 1
  }
}

/** At most `limit` at once; the others wait their turn. */
function createGate(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let open = limit
  const waiting: (() => void)[] = []
  return async (work) => {
    if (open > 0) open -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) open += 1
      else next()
    }
  }
}

/** A codec knows the run it was given; whoever reads the message wants to know where that is. */
function placed({ cause }: UndecodedPiece, piece: StoredPiece | undefined, path: string): unknown {
  if (!(cause instanceof FormatError) || piece === undefined) return cause
  AppError.accept(cause)
  const { at, storedBytes, diskOffset, diskBytes } = piece
  return new FormatError(cause.code, `${cause.message}, in the run for ${diskOffset} of the disk`, {
    details: {
      ...cause.details,
      offset: at + cause.details.offset,
      path,
      runOffset: at,
      runBytes: storedBytes,
      diskOffset,
      diskBytes,
    },
    cause,
  })
}
