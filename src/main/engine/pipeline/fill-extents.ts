/**
 * A worker's loop over an image of extents: claim a part of a window, fill it, tell the pool. A claim obliges its
 * worker to every raw, zero and ignored byte in it, and to the whole of each compressed run that begins in it, which
 * may reach into later windows.
 */
import { findExtent, kindIndex } from '#engine/formats/extents'
import { FormatError, invariant, serializeError } from '#shared/errors'
import { runKinds, type RunKind } from '#shared/model'
import { blockAt, blockStart, bytesInWindow, stretchParts } from './block-map.ts'
import { HashCheck } from './hash-check.ts'
import { RingFiller, RingStopped } from './ring.ts'
import { storedPlace, type OpenPart } from './stored-reader.ts'
import { WorkerCounters } from './worker-counters.ts'
import type { ExtentsJob, WorkerFailure } from './worker-job.ts'
import { findZeroPiecesInStretches, zeroReference } from './zero-pieces.ts'

/** `decodeRun` of the codecs: fills `into` or throws. */
export type DecodeRun = (kind: RunKind, stored: Uint8Array, into: Uint8Array) => void | Promise<void>

/** How to wait: a thread of its own may block, the coordinator's must not. */
export interface FillMeans {
  read(parts: readonly OpenPart[], streamOffset: number, into: Uint8Array): void | Promise<void>
  waitForRoom(ring: RingFiller, block: number): void | Promise<void>
  /** Asked at the first compressed run. */
  loadDecoder(): Promise<DecodeRun>
  /** Takes a failure to the reader, before it can see the mark. */
  postFailure(failure: WorkerFailure): void
}

/**
 * Work until nothing is left, the stream is stopped, or a claim failed. A failure is posted and marked in its block, so
 * that the reader meets it in its turn; the worker then leaves.
 */
export async function fillExtents(job: ExtentsJob, means: FillMeans): Promise<void> {
  const filler = new ExtentsFiller(job, means)
  try {
    while (await filler.fillClaim());
  } catch (error) {
    if (!(error instanceof RingStopped)) throw error
  }
}

class ExtentsFiller {
  readonly #job: ExtentsJob
  readonly #means: FillMeans
  readonly #ring: RingFiller
  readonly #counters: WorkerCounters
  readonly #zeros: Buffer
  readonly #hashCheck: HashCheck | null
  #decodeRun: DecodeRun | null = null
  /** Reused: the stored bytes of a run, and a run that the end of the pool cuts in two. */
  #stored = new Uint8Array(0)
  #scratch = new Uint8Array(0)
  /** The block a failure was met in; later ones won't be asked for. */
  #failedBlock = Infinity

  constructor(job: ExtentsJob, means: FillMeans) {
    this.#job = job
    this.#means = means
    this.#ring = new RingFiller(job.ring)
    this.#counters = new WorkerCounters(job.counters)
    this.#zeros = zeroReference(job.map.windowBytes)
    this.#hashCheck = job.hashes === null ? null : new HashCheck(job.hashes, job.map)
  }

  /** One claim. False when there is no more to do. */
  async fillClaim(): Promise<boolean> {
    const { map } = this.#job
    if (this.#ring.isStopped) return false
    const claim = this.#ring.claim()
    const block = Math.floor(claim / map.claimsPerWindow)
    if (block >= map.blocks || block > this.#failedBlock) return false
    const windowStart = blockStart(map, block)
    const from = windowStart + (claim % map.claimsPerWindow) * map.claimBytes
    const to = Math.min(from + map.claimBytes, windowStart + map.windowBytes)
    let filled = 0
    for (const [start, end] of stretchParts(map, from, to)) filled += await this.#fillPart(block, start, end)
    if (filled > 0) this.#fill(block, windowStart, filled)
    return true
  }

  /** What lies from `start` to `end`, inside one claim. Returns how many bytes of the claim's window that filled. */
  async #fillPart(block: number, start: number, end: number): Promise<number> {
    const { extents, map } = this.#job
    const windowEnd = blockStart(map, block) + map.windowBytes
    let filled = 0
    let at = start
    for (let row = findExtent(extents, start); at < end;) {
      invariant(row >= 0 && row < extents.count, "an image's rows must cover it")
      const rowStart = extents.diskOffset[row] ?? 0
      const rowEnd = rowStart + (extents.diskBytes[row] ?? 0)
      const kind = extents.kind[row]
      if (kind === kindIndex.zero || kind === kindIndex.ignore) {
        const to = Math.min(rowEnd, end)
        if (!this.#ring.hasRoom(block)) await this.#waitForRoom(block)
        this.#view(block, at, to - at).fill(0)
        filled += to - at
        at = to
        row++
      } else if (kind === kindIndex.raw) {
        const last = this.#lastOfOneRead(row, end)
        const to = Math.min((extents.diskOffset[last] ?? 0) + (extents.diskBytes[last] ?? 0), end)
        await this.#readRaw(block, row, at, to)
        filled += to - at
        at = to
        row = last + 1
      } else {
        // What began before belongs to the claim it began in.
        if (rowStart === at) {
          await this.#decodeRow(block, row)
          filled += Math.min(rowEnd, windowEnd) - rowStart
        }
        at = Math.min(rowEnd, end)
        row++
      }
    }
    return filled
  }

  /** The last of the raw rows from `row` on whose stored bytes follow one another as their sectors do, all stored whole. */
  #lastOfOneRead(row: number, end: number): number {
    const { diskOffset, diskBytes, storedOffset, storedBytes, kind, count } = this.#job.extents
    let last = row
    for (let next = row + 1; next < count; next++, last++) {
      const bytes = diskBytes[last] ?? 0
      const follows = (storedOffset[last] ?? 0) + bytes === storedOffset[next] && storedBytes[last] === bytes
      const isWhole = storedBytes[next] === diskBytes[next]
      if (kind[next] !== kindIndex.raw || !follows || !isWhole || (diskOffset[next] ?? 0) >= end) break
    }
    return last
  }

  /** Raw bytes from `from` to `to` of the disk, which lie in one piece from `row` on. Stored short: the rest is zeros. */
  async #readRaw(block: number, row: number, from: number, to: number): Promise<void> {
    if (this.#failedBlock !== Infinity) return
    const { extents, parts } = this.#job
    const into = this.#view(block, from, to - from)
    const skipped = from - (extents.diskOffset[row] ?? 0)
    const isShort = (extents.storedBytes[row] ?? 0) < (extents.diskBytes[row] ?? 0)
    const storedLength = isShort
      ? Math.max(0, Math.min(into.length, (extents.storedBytes[row] ?? 0) - skipped))
      : into.length
    try {
      if (!this.#ring.hasRoom(block)) await this.#waitForRoom(block)
      const start = performance.now()
      const stored = storedLength < into.length ? into.subarray(0, storedLength) : into
      if (storedLength > 0) await this.#means.read(parts, (extents.storedOffset[row] ?? 0) + skipped, stored)
      if (storedLength < into.length) into.fill(0, storedLength)
      this.#counters.spent('readNs', start)
      this.#counters.read(storedLength)
    } catch (error) {
      await this.#fail(block, from, error)
    }
  }

  /** A whole compressed run, into as many windows as it takes. */
  async #decodeRow(block: number, row: number): Promise<void> {
    if (this.#failedBlock !== Infinity) return
    try {
      await this.#decode(block, row)
    } catch (error) {
      await this.#fail(block, this.#job.extents.diskOffset[row] ?? 0, error)
    }
  }

  /** Windows after the first are told to the pool here, the first by the caller. */
  async #decode(block: number, row: number): Promise<void> {
    const { extents, map, parts } = this.#job
    const diskOffset = extents.diskOffset[row] ?? 0
    const diskBytes = extents.diskBytes[row] ?? 0
    const lastBlock = blockAt(map, diskOffset + diskBytes - 1)
    this.#decodeRun ??= await this.#means.loadDecoder()

    const start = performance.now()
    const stored = this.#storedRoom(extents.storedBytes[row] ?? 0)
    await this.#means.read(parts, extents.storedOffset[row] ?? 0, stored)
    this.#counters.read(stored.length)
    this.#counters.spent('readNs', start)
    for (let each = block; each <= lastBlock; each++)
      if (!this.#ring.hasRoom(each)) await this.#waitForRoom(each)

    const wraps = (block % map.slots) + lastBlock - block >= map.slots
    const into = wraps ? this.#scratchRoom(diskBytes) : this.#view(block, diskOffset, diskBytes)
    const decodeStart = performance.now()
    try {
      await this.#decodeRun(runKinds[extents.kind[row] ?? 0] ?? 'raw', stored, into)
    } catch (error) {
      throw this.#placed(error, row)
    }
    this.#counters.spent('decodeNs', decodeStart)

    const windowStart = blockStart(map, block)
    for (let each = block; each <= lastBlock; each++) {
      const eachStart = windowStart + (each - block) * map.windowBytes
      const from = Math.max(diskOffset, eachStart)
      const to = Math.min(diskOffset + diskBytes, eachStart + map.windowBytes)
      if (wraps) this.#view(each, from, to - from).set(into.subarray(from - diskOffset, to - diskOffset))
      if (each > block) this.#fill(each, eachStart, to - from)
    }
  }

  /**
   * What should be in `block` from `diskOffset` on isn't coming. The block is marked, and all the same counted as filled
   * by the caller, as is the rest of it without any work: it must become whole for the reader to see it.
   */
  async #fail(block: number, diskOffset: number, error: unknown): Promise<void> {
    if (error instanceof RingStopped) throw error
    this.#failedBlock = block
    if (!this.#ring.hasRoom(block)) await this.#waitForRoom(block)
    this.#means.postFailure({ diskOffset, error: serializeError(error) })
    this.#ring.markFailed(block)
  }

  /** A codec knows the run it was given; whoever reads the message wants to know where that is. */
  #placed(error: unknown, row: number): unknown {
    if (!(error instanceof FormatError)) return error
    const { extents, parts } = this.#job
    const place = storedPlace(parts, extents.storedOffset[row] ?? 0)
    const diskOffset = extents.diskOffset[row] ?? 0
    return new FormatError(error.code, `${error.message}, in the run for ${diskOffset} of the disk`, {
      details: {
        ...error.details,
        offset: place.offset + error.details.offset,
        path: place.path,
        runOffset: place.offset,
        runBytes: extents.storedBytes[row] ?? 0,
        diskOffset,
        diskBytes: extents.diskBytes[row] ?? 0,
      },
      cause: error,
    })
  }

  async #waitForRoom(block: number): Promise<void> {
    const start = performance.now()
    await this.#means.waitForRoom(this.#ring, block)
    this.#counters.spent('waitNs', start)
  }

  #fill(block: number, windowStart: number, filledBytes: number): void {
    const { map } = this.#job
    this.#ring.fill(block, filledBytes, bytesInWindow(map, windowStart), () => {
      const window = this.#ring.view(block, 0, map.windowBytes)
      this.#compare(block, windowStart, window)
      return findZeroPiecesInStretches(map, windowStart, window, this.#zeros)
    })
  }

  /** With the hashes, where there are some. What didn't come is known to be wrong. */
  #compare(block: number, windowStart: number, window: Uint8Array): void {
    if (this.#hashCheck === null || this.#ring.isFailed(block)) return
    const start = performance.now()
    try {
      this.#hashCheck.check(windowStart, window)
    } catch (error) {
      this.#failedBlock = Math.min(this.#failedBlock, block)
      this.#means.postFailure({ diskOffset: windowStart, error: serializeError(error) })
      this.#ring.markFailed(block)
    }
    this.#counters.spent('decodeNs', start)
  }

  /** Where `lengthBytes` at `diskOffset` go; `block` is the window that `diskOffset` lies in. */
  #view(block: number, diskOffset: number, lengthBytes: number): Uint8Array {
    return this.#ring.view(block, diskOffset % this.#job.map.windowBytes, lengthBytes)
  }

  #storedRoom(lengthBytes: number): Uint8Array {
    if (this.#stored.length < lengthBytes) this.#stored = new Uint8Array(roundUp(lengthBytes))
    return this.#stored.subarray(0, lengthBytes)
  }

  #scratchRoom(lengthBytes: number): Uint8Array {
    if (this.#scratch.length < lengthBytes) this.#scratch = new Uint8Array(roundUp(lengthBytes))
    return this.#scratch.subarray(0, lengthBytes)
  }
}

const roundUp = (bytes: number) => Math.ceil(bytes / 65_536) * 65_536
