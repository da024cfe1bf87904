/**
 * The copy itself: takes item after item from the source, writes several at once, remembers what was written, and
 * writes the first blocks last. Where the source has checksums, what came out of it is checked on the way.
 */
import { crc32 } from 'node:zlib'
import { allocatePageAligned, type BlockSink } from '#engine/block-io'
import type { JobContext } from '#engine/job'
import {
  badRangeError,
  type BadRange,
  type BlockStream,
  type DiskChecker,
  type StreamItem,
} from '#engine/pipeline'
import { FormatError, invariant } from '#shared/errors'
import { publicLocator } from '#shared/model'
import type { BlockChecksums } from './block-checksums.ts'
import { createBottleneckWatch } from './bottleneck.ts'
import { tooSmall } from './compare-sizes.ts'
import { diskEnds } from './disk-ends.ts'
import { HeadBlocks, padded } from './head-blocks.ts'
import { createPieceWriter } from './piece-writer.ts'
import { stretchProgress } from './stretch-progress.ts'
import { createWriteQueue } from './write-queue.ts'

export interface CopyOptions {
  readonly stream: BlockStream
  /** Both ends of a device were blanked: unused space in them stays zeros. */
  readonly sink: BlockSink
  /** For messages. */
  readonly sourcePath: string
  /** The source's size; null when only its end will tell. */
  readonly sizeBytes: number | null
  /** What this source may take up of the sink at most; null: as much as it wants. */
  readonly capacityBytes: number | null
  /** A plain file gets this size in the end; null: the source's. */
  readonly fixedBytes: number | null
  /** Takes down what is written. Null when nobody will compare. */
  readonly checksums: BlockChecksums | null
  /** Null where the source holds no checksums of its blocks. */
  readonly checker: DiskChecker | null
  /** Unused space becomes zeros. */
  readonly clearUnused: boolean
  /** Writes the first blocks of a source of `sizeBytes`, last of all; returns how many bytes. Default: they are written. */
  readonly writeHead?: (head: HeadBlocks, sizeBytes: number) => Promise<number>
  readonly context: Pick<JobContext, 'advance' | 'limitedBy'>
  readonly signal: AbortSignal
  readonly now: () => number
}

export interface Copied {
  /** Size of the source as it turned out. */
  readonly sizeBytes: number
  readonly writtenBytes: number
  /** Zeroed without sending zeros. */
  readonly zeroedBytes: number
  /** Unused space discarded or left alone. */
  readonly skippedBytes: number
}

/** Enough that a device has its next command while it acknowledges one; more only makes Cancel slower. */
const writesInFlight = 4

/**
 * Throws what the source or the sink throws, FormatError E_SRC_CORRUPT where the source contradicts its checksums,
 * UsageError E_DST_SMALL when a source of unknown size turns out larger than the sink, the signal's reason. Nothing
 * is under way any more when it settles.
 */
export async function copyBlocks(options: CopyOptions): Promise<Copied> {
  const { stream, sink, checker, checksums, capacityBytes, clearUnused, context } = options
  /** Aborted at the first failure: what was begun with it may be long, and nobody wants it any more. */
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const head = new HeadBlocks()
  const queue = createWriteQueue(writesInFlight)
  const writePieces = createPieceWriter(sink, options.now)
  const bottleneck = createBottleneckWatch(stream, context, options.now)
  const tailStart = sink.sizeBytes === null ? Infinity : diskEnds(sink, sink.sizeBytes).tailStart
  let position = 0
  let done = 0
  let writtenBytes = 0
  let zeroedBytes = 0
  let skippedBytes = 0
  const advance = (bytes: number) => {
    done += bytes
    context.advance(done)
    bottleneck.look()
  }

  try {
    for (;;) {
      signal.throwIfAborted()
      const item = await nextItem()
      if (item === null) break
      try {
        invariant(item.offset === position, 'the stream left a gap')
        position += lengthOf(item)
        if (capacityBytes !== null && position > capacityBytes)
          throw tooSmall(sink.path, position, capacityBytes)
        if (item.kind === 'data') count(item.offset, item.bytes)
      } catch (error) {
        if (item.kind === 'data') item.release()
        throw error
      }
      switch (item.kind) {
        case 'data':
          await startData(item)
          break
        case 'zero':
          check(checker?.zero(item.offset, item.lengthBytes))
          checksums?.zero(item.lengthBytes)
          await begin(() => writeZeros(item.offset, item.lengthBytes))
          break
        case 'unused':
          check(checker?.unused(item.offset, item.lengthBytes))
          if (clearUnused) checksums?.zero(item.lengthBytes)
          else checksums?.unused(item.lengthBytes)
          await begin(() => writeUnused(item.offset, item.lengthBytes))
          break
      }
    }
    if (options.sizeBytes !== null && position !== options.sizeBytes)
      throw endedEarly(options.sourcePath, position, options.sizeBytes)
    check(checker?.finish())
    await queue.idle()
    await sink.finish(options.fixedBytes ?? position)
    const headWritten = await (options.writeHead?.(head, position) ?? head.write(sink, position))
    advance(Math.min(head.bytes.length, position))
    return { sizeBytes: position, writtenBytes: writtenBytes + headWritten, zeroedBytes, skippedBytes }
  } finally {
    stop.abort()
    // Buffers under way belong to the system until it gives them back.
    await queue.settled()
  }

  function begin(work: () => Promise<void>): Promise<void> {
    return queue.start(() =>
      work().catch((error: unknown) => {
        stop.abort(error)
        // The first one's: others fail for its sake.
        throw stop.signal.reason
      }),
    )
  }

  /** What both count is read once: that is most of what this thread does. */
  function count(offset: number, bytes: Uint8Array): void {
    if (checker === null || checksums === null) {
      check(checker?.data(offset, bytes))
      checksums?.data(bytes)
      return
    }
    for (let done = 0; done < bytes.length;) {
      const part = bytes.subarray(done, done + checksums.roomBytes)
      const crc = crc32(part)
      check(checker.data(offset + done, part, crc))
      checksums.data(part, crc)
      done += part.length
    }
  }

  function check(bad: BadRange | null | undefined): void {
    if (bad) throw badRangeError(bad, options.sourcePath)
  }

  /** A slow source must not hide that the sink has failed. */
  async function nextItem(): Promise<StreamItem | null> {
    const next = stream.next()
    try {
      return await queue.during(next)
    } catch (error) {
      // It may come all the same, and nobody else would give it back.
      void next.then((item) => item?.kind === 'data' && item.release()).catch(() => undefined)
      throw error
    }
  }

  async function startData(item: Extract<StreamItem, { kind: 'data' }>): Promise<void> {
    let started = false
    try {
      await begin(() => {
        started = true
        return writeData(item)
      })
    } finally {
      if (!started) item.release()
    }
  }

  async function writeData(item: Extract<StreamItem, { kind: 'data' }>): Promise<void> {
    const { offset, bytes } = item
    try {
      const kept = head.keep(bytes, offset)
      const whole =
        sink.sizeBytes === null ? bytes.length : bytes.length - (bytes.length % sink.alignmentBytes)
      const written = (length: number) => {
        writtenBytes += length
        advance(length)
      }
      await writePieces(bytes.subarray(kept, whole), offset + kept, signal, written)
      if (bytes.length > whole && whole >= kept) {
        await writeTail(bytes.subarray(whole), offset + whole)
        written(bytes.length - whole)
      }
    } finally {
      item.release()
    }
  }

  /** The end of a source that isn't a whole number of the device's blocks: zeros fill the last one. */
  async function writeTail(bytes: Uint8Array, offset: number): Promise<void> {
    const block = allocatePageAligned(padded(bytes.length, sink))
    block.set(bytes)
    await sink.write(block, offset)
  }

  async function writeZeros(offset: number, lengthBytes: number): Promise<void> {
    const kept = Math.max(0, Math.min(lengthBytes, head.bytes.length - offset))
    const length = lengthBytes - kept
    if (length === 0) return
    const told = stretchProgress(length, advance)
    const how = await sink.zero(offset + kept, padded(length, sink), signal, told.piece)
    if (how === 'written') writtenBytes += length
    else zeroedBytes += length
    told.rest(how)
  }

  async function writeUnused(offset: number, lengthBytes: number): Promise<void> {
    if (clearUnused) return writeZeros(offset, lengthBytes)
    const kept = Math.max(0, Math.min(lengthBytes, head.bytes.length - offset))
    const length = lengthBytes - kept
    const room = Math.min(length, tailStart - offset - kept)
    // Whole blocks only: what lies after the source isn't ours to give away.
    const whole = sink.sizeBytes === null ? room : room - (room % sink.alignmentBytes)
    const told = stretchProgress(length, advance)
    const how = whole > 0 ? await sink.discard(offset + kept, whole, signal, told.piece) : 'left'
    skippedBytes += length
    told.rest(how)
    return undefined
  }
}

const lengthOf = (item: StreamItem) => (item.kind === 'data' ? item.bytes.length : item.lengthBytes)

const endedEarly = (path: string, found: number, expected: number) =>
  new FormatError('E_SRC_CORRUPT', `the source ended after ${found} of ${expected} bytes`, {
    details: { format: 'disk', field: 'size', offset: found, found, expected, path: publicLocator(path) },
  })
