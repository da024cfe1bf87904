/**
 * An image as a stream of blocks: plans the pool, opens the files, starts the workers. What they fill is handed out by
 * `block-items.ts`. Runs on any thread and never blocks it.
 */
import { availableParallelism } from 'node:os'
import type { ExtentLayout, ImageLayout, SequentialLayout } from '#engine/formats/extents'
import type { WebClient } from '#engine/web-source'
import { BugError, deserializeError, UsageError } from '#shared/errors'
import { isWebLocator } from '#shared/model'
import { planBlocks } from './block-map.ts'
import type { Crew } from './crew.ts'
import { FiberCrew } from './fiber-crew.ts'
import { HashCheck, hashOrder, type HashDemand } from './hash-check.ts'
import { checkedAgainstFile } from './file-check.ts'
import { extentItems, ItemReader, streamItems, type ItemSteps } from './block-items.ts'
import type { BlockStream, StreamCounters, StreamItem } from './block-stream.ts'
import { openParts } from './open-parts.ts'
import { meanStretchBytes, planFetches, planWholeFile } from './fetch-plan.ts'
import { leastFetchBytes, planPool, planStreamPool, type PoolOptions, type PoolPlan } from './pool-plan.ts'
import { allocateRing, RingReader, type Ring } from './ring.ts'
import { planStretches } from './stretches.ts'
import { WorkerCrew } from './worker-crew.ts'
import { sumCounters } from './worker-counters.ts'
import { openWebParts } from './web-parts.ts'

/** Zeros and unused space shorter than this between data are sent as zeros. */
const foldBytes = 128 * 1024
/** How long a close waits for reads that are under way. Workers are ended after 100 ms of it. */
const patienceMs = 500

export interface BlockStreamOptions {
  readonly pool: PoolOptions
  /** Of the sink: 512, or 4096 for a disk with 4 KiB sectors. A power of two. */
  readonly alignmentBytes: number
  /** At most so many worker threads. Default: the processors there are. */
  readonly workers?: number
  /** Files that are already open, a source device say: descriptors by path. The caller closes them, after the stream. */
  readonly openFiles?: ReadonlyMap<string, number>
  /** For an image of extents: each block is compared before any of it is handed out. */
  readonly hashes?: HashDemand | null
  /** For what is on servers. Default: the process's. */
  readonly web?: WebClient
  readonly signal: AbortSignal
}

/**
 * Open `layout` and begin to decode. Every data item must be released without waiting for a later one: the pool may
 * be full of it. Throws DeviceError E_NOT_FOUND, E_DENIED, E_SRC_GONE, E_IO_READ for a file that can't be opened;
 * FormatError for a run that no pool can take, for a hash of nothing that isn't that of zeros, and at the end for an image that
 * isn't what the SHA-256 beside it says; UsageError E_USAGE for a pool there is no memory for; the signal's reason.
 */
export async function openBlockStream(
  layout: ImageLayout,
  options: BlockStreamOptions,
): Promise<BlockStream> {
  options.signal.throwIfAborted()
  // Its worker looks at the file's own bytes.
  if (layout.kind === 'stream') return await openStream(layout, options)
  const stream = await openExtents(layout, options)
  const { fileCheck, parts } = layout
  return fileCheck === undefined ? stream : checkedAgainstFile(stream, fileCheck, parts[0]?.path ?? '')
}

async function openExtents(layout: ExtentLayout, options: BlockStreamOptions): Promise<BlockStream> {
  const { alignmentBytes } = options
  const { sizeBytes, extents } = layout
  const cores = options.workers ?? availableParallelism()
  const isEncrypted = layout.parts.some(({ cipher }) => cipher !== undefined)
  const isWeb = layout.parts.some(({ path }) => isWebLocator(path))
  const isInPieces = isWeb && meanStretchBytes(extents) < leastFetchBytes
  const hashes = options.hashes ?? null
  const readsCost =
    isEncrypted || isInPieces || hashes !== null ? 'always' : isWeb ? 'of-small-buffers' : undefined
  const plan = planPool(extents, options.pool, {
    alignmentBytes,
    cores,
    ...(hashes === null ? {} : { unitBytes: hashes.blocks.blockBytes }),
    ...(readsCost === undefined ? {} : { readsCost }),
  })
  const stretches = planStretches(extents, { sizeBytes, alignmentBytes, foldBytes })
  const map = planBlocks(stretches, { ...plan, sizeBytes })
  const order = hashes === null ? null : hashOrder(hashes)
  if (order !== null) new HashCheck(order, map).checkEmpty()
  const ring = allocatePool(plan, options.pool)
  const parts = layout.parts.toSorted((a, b) => a.streamOffset - b.streamOffset)
  const web = await openWebParts(
    parts,
    // What isn't decoded goes straight to where it is wanted.
    plan.crew === 'fibers' ? null : (chunks) => planFetches(extents, parts, chunks),
    { client: options.web, signal: options.signal },
  )
  const files = await openParts(parts, options.openFiles ?? new Map(), web)
  const job = { kind: 'extents', ring, map, extents, parts: files.parts, hashes: order } as const
  const count = Math.min(plan.workers, map.blocks * map.claimsPerWindow)
  try {
    return new RunningStream({
      ring,
      files,
      signal: options.signal,
      startCrew: (onCrash) =>
        plan.crew === 'threads' ? new WorkerCrew(job, count, onCrash) : new FiberCrew(job, count, onCrash),
      steps: (reader) =>
        extentItems(reader, {
          map,
          extents,
          alignmentBytes,
          leastUnusedBytes: foldBytes,
          isChecked: hashes !== null,
        }),
    })
  } catch (error) {
    // No thread could be started.
    await files[Symbol.asyncDispose]()
    throw error
  }
}

async function openStream(layout: SequentialLayout, options: BlockStreamOptions): Promise<BlockStream> {
  const plan = planStreamPool(options.pool, options)
  const ring = allocatePool(plan, options.pool)
  const { path, storedBytes, stamp } = layout
  // Who holds it open knows it to be the file they mean.
  const fd = options.openFiles?.get(path)
  const web = await openWebParts(
    [{ path, ...(stamp === undefined ? {} : { stamp }) }],
    ({ chunkBytes }) => planWholeFile(storedBytes, chunkBytes),
    { client: options.web, signal: options.signal },
  )
  const opened = web?.byPath.get(path) ?? (fd === undefined ? undefined : { fd })
  const part =
    opened === undefined
      ? null
      : { path, streamOffset: 0, fileOffset: 0, lengthBytes: storedBytes, ...opened }
  return new RunningStream({
    ring,
    files: web,
    signal: options.signal,
    startCrew: (onCrash) => new WorkerCrew({ kind: 'stream', ring, layout, part }, plan.workers, onCrash),
    steps: streamItems,
  })
}

function allocatePool({ slots, windowBytes }: PoolPlan, asked: PoolOptions): Ring {
  try {
    return allocateRing(slots, windowBytes)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new UsageError('E_USAGE', `no memory for ${slots} buffers of ${windowBytes} bytes`, {
      details: { input: 'buffers', buffers: asked.buffers, bufferBytes: asked.bufferBytes },
      cause,
    })
  }
}

/** `stop`: whoever waits for bytes is let go. */
interface OpenFiles extends AsyncDisposable {
  stop(): void
}

interface StreamParts {
  readonly ring: Ring
  /** Closed after the crew has gone. */
  readonly files: OpenFiles | null
  readonly signal: AbortSignal
  readonly startCrew: (onCrash: (error: unknown) => void) => Crew
  readonly steps: (reader: RingReader) => ItemSteps
}

class RunningStream implements BlockStream {
  readonly #reader: RingReader
  readonly #crew: Crew
  readonly #files: OpenFiles | null
  readonly #signal: AbortSignal
  readonly #items: ItemReader
  /** Why nothing more comes. The first reason stays. */
  #end: { readonly reason: unknown } | null = null
  #closing: Promise<void> | null = null

  constructor({ ring, files, signal, startCrew, steps }: StreamParts) {
    this.#reader = new RingReader(ring)
    this.#files = files
    this.#signal = signal
    this.#crew = startCrew((error) => this.#stop(error))
    this.#items = new ItemReader(this.#reader, steps(this.#reader), (ready) => this.#whyNot(ready !== null))
    signal.addEventListener('abort', this.#onAbort)
    if (signal.aborted) this.#onAbort()
  }

  async next(): Promise<StreamItem | null> {
    if (this.#end !== null) throw this.#end.reason
    try {
      const item = await this.#items.next()
      // Stopped while the item was on its way: its buffer may be anyone's.
      if (this.#end !== null) throw (this.#end as { reason: unknown }).reason
      return item
    } catch (error) {
      this.#stop(error)
      throw error
    }
  }

  counters(): StreamCounters {
    return sumCounters(this.#crew.totals)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stop(new BugError('E_BUG', 'the stream was closed', { details: {} }))
    this.#signal.removeEventListener('abort', this.#onAbort)
    // Workers read by number: the files stay open until the last of them has gone, or hangs, and then reads no more.
    const gone = this.#crew.stop().then(() => this.#files?.[Symbol.asyncDispose]())
    // Nothing ends a read that a dying disk doesn't answer. It only fills memory that nobody looks at any more: it is
    // left to itself, and its file is closed when it comes back.
    const patience = Promise.withResolvers<void>()
    const timer = setTimeout(patience.resolve, patienceMs)
    try {
      await Promise.race([gone, patience.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  readonly #onAbort = () => this.#stop(this.#signal.reason)

  #stop(reason: unknown): void {
    this.#end ??= { reason }
    this.#reader.stop()
    this.#files?.stop()
  }

  /** A worker failed in the block that is next, or everything was stopped. */
  #whyNot(isFailed: boolean): unknown {
    const failure = isFailed ? this.#crew.firstFailure() : null
    if (failure !== null) return deserializeError(failure.error)
    return this.#end?.reason ?? new BugError('E_BUG', 'a block failed without an error', { details: {} })
  }
}
