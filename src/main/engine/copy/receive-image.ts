/**
 * A restore from a multicast stream: its blocks come in whatever order the network has them, and are decoded and written as
 * they come. While that lasts, a journal on the disk says how far it is; its head is written when all is there and was
 * found right.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { BlockSink } from '#engine/block-io'
import { Interruption, type JobContext } from '#engine/job'
import { receivePoolBytes, type StreamConnection, type StreamReception } from '#engine/stream-connection'
import { AppError, invariant, NetworkError } from '#shared/errors'
import type { RestoreRequest, RestoreSummary } from '#shared/model'
import { BlockWriter } from './block-writer.ts'
import { createBlockInbox } from './block-inbox.ts'
import { diskEnds, type DiskEnds } from './disk-ends.ts'
import { eraseTarget } from './erase-target.ts'
import { isVerifiable, type ReceivedSource } from './examine-source.ts'
import { fillGaps } from './fill-gaps.ts'
import { HashedBlocks } from '#engine/pipeline'
import { HeadBlocks } from './head-blocks.ts'
import { ownHashes } from './stream-image.ts'
import { openJournal, type Journal } from './stream-journal.ts'
import { StreamRuns } from './stream-runs.ts'
import { verifyHead, verifyReceived } from './verify-received.ts'

export interface ReceiveImageOptions {
  readonly source: ReceivedSource
  /** To the session that was examined. Closed by whoever opened it. */
  readonly connection: StreamConnection
  readonly sink: BlockSink
  /** Bytes the destination holds now: a device's size, or a file's, 0 for one that is new. */
  readonly heldBytes: number
  /** A plain file keeps this size; null: it gets the image's. */
  readonly fixedBytes: number | null
  /** Something of the destination was mounted until now, and may have been written to. */
  readonly wasMounted: boolean
  readonly request: RestoreRequest
  readonly context: JobContext
  readonly now: () => number
  /** How often the journal is written, at most: what of the work is lost when the power fails. */
  readonly journalMs: number
  /** What an earlier run wrote is gone on with: nothing is written yet, and yet something was. */
  readonly onGoOn: () => void
  /** It fails, and yet the destination shall stay as it is: started again, the same goes on there. */
  readonly onKept: () => void
}

/** `warnings`: what the client had to say of the network. */
export type Received = Omit<RestoreSummary, 'durationMs' | 'mountPoints' | 'ejected' | 'remounted'>

/** What the client may hold of blocks that aren't written yet, unless it is told; and what is kept of runs that aren't whole yet. */
const usualHoldBytes = 64 * 1024 * 1024
const edgeBytes = 64 * 1024 * 1024
/** A slow medium isn't flushed all the time. */
const leastPauses = 4
const tellEveryMs = 250
/** More than this waiting: the destination is what takes time. */
const backlogBlocks = 8
/** Nobody waits longer for a server to hear that we gave up. */
const farewellMs = 300

/**
 * Receive, write, verify. Throws FormatError, DeviceError, VerificationError, the signal's reason: then no journal is left; and
 * NetworkError or an Interruption, after which another run may go on. In either case the destination isn't a disk yet. Nothing is under way any more
 * when it settles.
 */
export async function receiveImage(options: ReceiveImageOptions): Promise<Received> {
  const { source, connection, sink, context } = options
  const { layout, locatorText } = source
  const runs = new StreamRuns(layout, connection, locatorText)
  const reception = { current: null as StreamReception | null }
  let journal: Journal | null = null
  let hasBegun = false
  try {
    const sizeBytes = options.fixedBytes ?? layout.sizeBytes
    journal = await openJournal(
      sink,
      {
        root: connection.root,
        streamBytes: connection.sizeBytes,
        blockBytes: connection.blockBytes,
        blocks: runs.blocks,
        diskBytes: layout.sizeBytes,
        clearUnused: options.request.clearUnused,
      },
      {
        earlier: mayGoOn(options, sizeBytes) ? 'looked for' : 'ignored',
        capacityBytes: Math.min(sink.sizeBytes ?? sizeBytes, layout.sizeBytes),
      },
    )
    const begin = async () => {
      hasBegun = true
      await erase(options, journal, sizeBytes)
    }
    const result = await writeAndVerify({ ...options, runs, journal, reception, begin })
    await reception.current?.finish('done', '')
    return result
  } catch (error) {
    // Whatever failed, it wasn't the disk, which looks blank to everyone.
    const isKept =
      hasBegun &&
      isVerifiable(options.source) &&
      mayBeGoneOnWith(error, context.signal) &&
      journal?.isThere === true
    if (isKept) options.onKept()
    const said = reception.current?.finish(context.signal.aborted ? 'cancelled' : 'failed', wordOf(error))
    // The disk is waited for, however slow it is: whoever called closes it next, and its number may soon be another's.
    await Promise.allSettled([
      !hasBegun ? null : isKept ? sink.flush() : journal?.erase().then(() => sink.flush()),
    ])
    await farewell(Promise.resolve(said))
    throw error
  }
}

/** The network or the server failed, or the computer goes down; a person who stops it wants none of it. */
function mayBeGoneOnWith(error: unknown, { aborted, reason }: AbortSignal): boolean {
  if (!aborted) return error instanceof NetworkError
  const isStopped = error instanceof NetworkError || (error instanceof Error && error.name === 'AbortError')
  return isStopped && reason instanceof Interruption
}

/**
 * Is what a journal says worth a look? Much may have happened to a disk since: it was partitioned, used and wiped, and behind its
 * first MiB nothing shows that. So whoever goes on reads everything back in the end, for which there must be hashes.
 */
function mayGoOn({ sink, source, heldBytes, wasMounted }: ReceiveImageOptions, sizeBytes: number): boolean {
  // A file that is received into has its size from the beginning.
  const isWhole = sink.sizeBytes !== null || heldBytes === sizeBytes
  return isWhole && !wasMounted && isVerifiable(source)
}

/** What is said to a server that may not be there any more: waited for a moment, then left to itself. Never rejects. */
export async function farewell(said: PromiseLike<unknown>): Promise<void> {
  const given = new AbortController()
  await Promise.race([
    Promise.resolve(said).catch(() => undefined),
    delay(farewellMs, undefined, { signal: given.signal }).catch(() => undefined),
  ])
  given.abort()
}

const wordOf = (error: unknown) => (error instanceof AppError ? error.code : '')

/**
 * Right before the first write: a client that waits for a stream to start has touched nothing. A disk that is in the middle of
 * this very stream is left as it is.
 */
async function erase(
  { sink, context, onGoOn }: ReceiveImageOptions,
  journal: Journal | null,
  sizeBytes: number,
): Promise<void> {
  const { signal, log } = context
  signal.throwIfAborted()
  const { found = null } = journal ?? {}
  if (found === null) {
    await eraseTarget(sink, signal)
    // From now on there is room for the journal.
    await sink.finish(sizeBytes)
    return
  }
  onGoOn()
  const blocks = found.complete.reduce((sum, each) => sum + each, 0)
  const of = found.complete.length
  log.info('goes on where an earlier run of the same stream ended', { path: sink.path, blocks, of })
}

interface Receiving extends ReceiveImageOptions {
  readonly runs: StreamRuns
  readonly journal: Journal | null
  readonly reception: { current: StreamReception | null }
  /** Before the first write. */
  readonly begin: () => Promise<void>
}

async function writeAndVerify(options: Receiving): Promise<Received> {
  const { source, sink, request, journal, context, now, reception } = options
  const { layout, locatorText } = source
  const { sizeBytes } = layout
  const head = new HeadBlocks()
  const verifies = request.verify || (journal !== null && journal.found !== null)
  const ends = diskEnds(sink, options.fixedBytes ?? sizeBytes)

  // Erasing is a moment in the middle of it, when the first block is here.
  context.skip('erasing')
  if (!verifies) context.skip('verifying')
  context.enter('restoring', sizeBytes)
  const beganMs = now()
  const counts = await receiveBlocks({ ...options, head, ends })
  const copyMs = Math.max(1, now() - beganMs)

  let checksum: string | null = null
  if (verifies) {
    reception.current?.verifying()
    context.enter('verifying', sizeBytes)
    const blocks = hashedBlocks(options)
    const crc32 = await verifyReceived({
      sink,
      head,
      blocks,
      layout,
      ends,
      clearUnused: request.clearUnused,
      buffering: request.buffering,
      sourcePath: locatorText,
      context,
    })
    checksum = crc32.toString(16).padStart(8, '0')
  }
  context.signal.throwIfAborted()
  await head.write(sink, sizeBytes)
  if (verifies) await verifyHead(sink, head, sizeBytes)
  return {
    restoredBytes: sizeBytes,
    ...counts,
    unchangedBytes: 0,
    bytesPerSecond: Math.round((sizeBytes / copyMs) * 1000),
    verified: checksum !== null,
    checksum,
    warnings: reception.current?.warnings() ?? [],
  }
}

function hashedBlocks({ source, connection }: ReceiveImageOptions): HashedBlocks {
  const { layout, locatorText } = source
  const isRaw = connection.info.imageFormat === 'raw'
  // By now all are known.
  const hashes = isRaw ? ownHashes(connection) : source.hashes
  const blocks =
    hashes === null
      ? null
      : HashedBlocks.of(hashes, isRaw ? connection.sizeBytes : layout.sizeBytes, locatorText)
  invariant(blocks !== null, 'the hashes were looked at in the preflight')
  return blocks
}

/** Until every block is on the medium, the head excepted. */
async function receiveBlocks(
  receiving: Receiving & { readonly head: HeadBlocks; readonly ends: DiskEnds },
): Promise<Pick<Received, 'writtenBytes' | 'zeroedBytes' | 'skippedBytes'>> {
  const { source, connection, sink, runs, head, ends, journal, request, context, now, reception } = receiving
  const { layout, locatorText } = source
  const stop = new AbortController()
  const signal = AbortSignal.any([context.signal, stop.signal])
  const inbox = createBlockInbox()
  const counts = { written: 0, zeroed: 0, skipped: 0 }
  let gapsDone = journal?.found?.gapsDone ?? false
  let done = 0
  const count = (bytes: number, how: keyof typeof counts) => {
    counts[how] += bytes
    done += bytes
    context.advance(done)
  }
  await using writer = new BlockWriter({
    runs,
    sink,
    head,
    sizeBytes: layout.sizeBytes,
    path: locatorText,
    have: journal?.found?.complete ?? null,
    edgeBytes,
    signal,
    now,
    onKept: (block) => reception.current?.written(block),
    onReturned: (block) => reception.current?.again(block),
    onWritten: count,
  })
  /** An earlier run's work. */
  const had = (bytes: number) => {
    done += bytes
    context.advance(done)
  }
  had(writer.hadBytes)
  const received = connection.receive({
    have: writer.complete.includes(1) ? writer.complete.slice() : null,
    holdBytes: receivePoolBytes(request.buffering, {
      blockBytes: connection.blockBytes,
      otherwiseBytes: usualHoldBytes,
    }),
    timeoutMs: request.timeoutMs,
    onBlock: (block, bytes) => inbox.put({ block, bytes }),
    signal,
  })
  reception.current = received

  async function takeBlocks(): Promise<void> {
    for (;;) {
      const next = await writer.during(inbox.take())
      if (next === null) return
      signal.throwIfAborted()
      await writer.take(next.block, next.bytes)
    }
  }
  const begun = inbox.begun().then(() => {
    signal.throwIfAborted()
    return receiving.begin()
  })
  async function takeAll(): Promise<void> {
    await begun
    await takeBlocks()
    await writer.idle()
  }
  async function fill(): Promise<void> {
    await begun
    const { extents } = layout
    if (gapsDone) {
      had(layout.sizeBytes - runs.dataBytes)
      return
    }
    await fillGaps({ sink, extents, ends, clearUnused: request.clearUnused, signal, onFilled: count })
    gapsDone = true
  }
  const saved = new AbortController()
  async function save(): Promise<void> {
    const state = { complete: writer.complete.slice(), gapsDone }
    await sink.flush()
    await journal?.write(state)
  }
  async function saveNowAndThen(): Promise<void> {
    await begun
    if (journal === null) return
    let pauseMs = receiving.journalMs
    let savedBlocks = -1
    while (await pause(pauseMs, saved.signal)) {
      signal.throwIfAborted()
      const blocks = writer.complete.reduce((sum, each) => sum + each, 0)
      if (blocks === savedBlocks) continue
      savedBlocks = blocks
      const beganMs = now()
      await save()
      pauseMs = Math.max(receiving.journalMs, leastPauses * (now() - beganMs))
    }
  }
  const tell = () => {
    context.streamed(received.progress())
    context.limitedBy(inbox.length > backlogBlocks ? 'destination' : 'source')
  }
  const telling = setInterval(tell, tellEveryMs)
  try {
    const taken = takeAll()
    const filled = fill()
    await together(
      [
        Promise.race([received.complete, rejectWhenAborted(signal)]).then(() => inbox.close()),
        // Each by itself: when one fails, the other may be writing still.
        taken,
        filled,
        Promise.all([taken, filled]).then(() => saved.abort()),
        saveNowAndThen(),
      ],
      (error) => {
        stop.abort(error)
        inbox.discard()
        saved.abort()
      },
    )
    invariant(writer.isDone && done === layout.sizeBytes, 'a stream ended before the image was on the disk')
    await save()
    tell()
  } finally {
    clearInterval(telling)
  }
  return { writtenBytes: counts.written, zeroedBytes: counts.zeroed, skippedBytes: counts.skipped }
}

/** Resolves when all have ended; then throws the first failure, at which `onFailure` was called. */
async function together(
  tasks: readonly Promise<unknown>[],
  onFailure: (error: unknown) => void,
): Promise<void> {
  const failures: unknown[] = []
  const watched = tasks.map((task) =>
    task.catch((error: unknown) => {
      if (failures.push(error) === 1) onFailure(error)
    }),
  )
  await Promise.all(watched)
  if (failures.length > 0) throw failures[0]
}

function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  promise.catch(() => undefined)
  return promise
}

/** False when it was cut short. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal })
    return true
  } catch {
    return false
  }
}
