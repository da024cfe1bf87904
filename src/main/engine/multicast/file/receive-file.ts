/**
 * Receives a stream's image into a file: every block that came is written where it belongs and in the end read back; then the file
 * gets its name. Whatever happens before, the part that came is kept, and the same command goes on with it.
 */
import { createHash } from 'node:crypto'
import { DifferingParts, dropFileCache } from '#engine/block-io'
import type { JobContext } from '#engine/job'
import {
  connectAgain,
  receivePoolBytes,
  type StreamConnection,
  type StreamReception,
} from '#engine/stream-connection'
import {
  AppError,
  deserializeError,
  DeviceError,
  invariant,
  serializeError,
  VerificationError,
  thrownFirst,
} from '#shared/errors'
import type { JobOutcome, RestorePlan, RestoreSummary, TargetState } from '#shared/model'
import { holdAgreed } from './agreed-file.ts'
import { openPartFile, partPath, type PartFile } from './part-file.ts'
import { identityOf, locatorOf, type OpenStream } from './plan-file.ts'

/** Blocks in the making, and blocks on the way to the disk; unless it is told. */
const usualHoldBytes = 128 * 1024 * 1024
const saveMs = 1000
const tellMs = 250

/** By a plan of `planFile`. Never rejects. */
export async function receiveFile(
  plan: RestorePlan,
  { connect }: { readonly connect: OpenStream },
  context: JobContext,
): Promise<JobOutcome> {
  const { signal } = context
  let left: TargetState = 'untouched'
  try {
    if (plan.refusal !== null) throw deserializeError(plan.refusal)
    invariant(plan.target !== null, 'a plan without a refusal has a target')
    context.enter('validating-source')
    const { source, timeoutMs, interface: receiveOn = null } = plan.request
    await using stream = await connectAgain(
      () => connect(locatorOf(source), { log: context.log, signal, interface: receiveOn }),
      { timeoutMs, log: context.log, signal, streamed: (progress) => context.streamed(progress) },
    )
    if (plan.sourceIdentity !== identityOf(stream))
      throw new DeviceError('E_SRC_CHANGED', 'the stream is another one than when the plan was made', {
        details: { path: plan.request.source },
      })
    const { path: name, identity } = plan.target
    await using agreed = await holdAgreed(name, identity, plan.request.erase)
    const path = partPath(name)
    const isLost = plan.losses.some((loss) => loss.path === path)
    await using part = await openPartFile(path, stream, {
      foreign: !plan.request.erase ? 'refuse' : isLost ? 'replace' : 'unforeseen',
    })
    left = 'kept'
    try {
      const summary = await receive(stream, part, {
        plan,
        context,
        finish: () => part.finish(name, agreed),
      })
      return { kind: 'done', summary }
    } catch (error) {
      if (!(await part.isThere())) left = 'untouched'
      throw error
    }
  } catch (thrown) {
    const error = thrownFirst(thrown)
    if (signal.aborted && (error === signal.reason || !(error instanceof AppError)))
      return { kind: 'cancelled', target: left, percent: null }
    return { kind: 'failed', error: serializeError(error), target: left }
  }
}

async function receive(
  stream: StreamConnection,
  part: PartFile,
  {
    plan: { request },
    context,
    finish,
  }: { readonly plan: RestorePlan; readonly context: JobContext; readonly finish: () => Promise<void> },
): Promise<RestoreSummary> {
  const { signal } = context
  const beganMs = performance.now()
  const lengthOf = (block: number) =>
    Math.min(stream.blockBytes, stream.sizeBytes - block * stream.blockBytes)
  const before = part.have.slice()
  const unchangedBytes = before.reduce((sum, value, block) => sum + (value === 1 ? lengthOf(block) : 0), 0)
  if (unchangedBytes > 0) context.log.info('going on with what came before', { bytes: unchangedBytes })
  // What an earlier run left is read back in any case: nobody knows what happened to it since.
  const verifies = request.verify || unchangedBytes > 0
  if (!verifies) context.skip('verifying')
  context.enter('restoring', stream.sizeBytes)
  let doneBytes = unchangedBytes
  context.advance(doneBytes)

  const broken = Promise.withResolvers<never>()
  broken.promise.catch(() => undefined)
  const writes = new Set<Promise<void>>()
  const keep = async (block: number, bytes: Uint8Array) => {
    try {
      await part.write(block, bytes)
      doneBytes += bytes.length
      reception.written(block)
    } catch (error) {
      broken.reject(error)
    }
  }
  const save = () => void part.save().catch((error: unknown) => broken.reject(error))
  const reception: StreamReception = stream.receive({
    have: part.have.slice(),
    holdBytes: receivePoolBytes(request.buffering, {
      blockBytes: stream.blockBytes,
      otherwiseBytes: usualHoldBytes,
    }),
    timeoutMs: request.timeoutMs,
    signal,
    onBlock(block, bytes) {
      const write = keep(block, bytes).finally(() => writes.delete(write))
      writes.add(write)
    },
  })
  const timers = [
    setInterval(() => {
      context.advance(doneBytes)
      context.streamed(reception.progress())
    }, tellMs),
    setInterval(save, saveMs),
  ]
  let outcome: 'done' | 'failed' | 'cancelled' = 'failed'
  let text = ''
  try {
    try {
      await Promise.race([reception.complete, broken.promise])
    } finally {
      for (const timer of timers) clearInterval(timer)
      context.advance(doneBytes)
      context.streamed(reception.progress())
      await Promise.allSettled(writes)
    }
    await part.save()
    const receiveMs = Math.max(1, performance.now() - beganMs)
    const fromMemory = verifies
      ? await verify(stream, part, reception, {
          context,
          isAsked: (block) => request.verify || before[block] === 1,
        })
      : null
    signal.throwIfAborted()
    await finish()
    outcome = 'done'
    return {
      restoredBytes: stream.sizeBytes,
      writtenBytes: stream.sizeBytes - unchangedBytes,
      zeroedBytes: 0,
      skippedBytes: 0,
      unchangedBytes: 0,
      durationMs: Math.round(performance.now() - beganMs),
      bytesPerSecond: Math.round((stream.sizeBytes / receiveMs) * 1000),
      verified: request.verify,
      checksum: null,
      mountPoints: [],
      ejected: false,
      remounted: false,
      warnings: [...reception.warnings(), ...(fromMemory ? [serializeError(fromMemory)] : [])],
    }
  } catch (error) {
    outcome = signal.aborted ? 'cancelled' : 'failed'
    text = error instanceof Error && outcome === 'failed' ? error.message : ''
    // As much as can be is kept.
    await part.save().catch(() => undefined)
    throw error
  } finally {
    await reception.finish(outcome, text)
  }
}

/**
 * Read blocks back. Throws VerificationError, and has the wrong blocks come again next time. Resolves to why they were read from
 * the system's memory and not from the medium, if they were.
 */
async function verify(
  stream: StreamConnection,
  part: PartFile,
  reception: StreamReception,
  { context, isAsked }: { readonly context: JobContext; readonly isAsked: (block: number) => boolean },
): Promise<DeviceError | null> {
  const { signal } = context
  reception.verifying()
  const fromMemory = await forgetCached(part.path)
  context.enter('verifying', stream.sizeBytes)
  const wrong: number[] = []
  const parts = new DifferingParts(stream.sizeBytes)
  let [expected, found] = ['', '']
  for (let block = 0; block < stream.blocks; block++) {
    signal.throwIfAborted()
    context.advance(block * stream.blockBytes)
    if (!isAsked(block)) continue
    // Not heard while it was received: over the connection to look with, it is.
    if (stream.hashOf(block) === null) await stream.fetchBlock(block, signal)
    const hash = Buffer.from(stream.hashOf(block) ?? []).toString('hex')
    const read = createHash('sha256')
      .update(await part.read(block))
      .digest('hex')
    parts.add(block * stream.blockBytes, stream.blockBytes, read === hash)
    if (read !== hash) {
      if (wrong.length === 0) [expected, found] = [hash, read]
      wrong.push(block)
    }
  }
  context.advance(stream.sizeBytes)
  if (wrong.length === 0) return fromMemory
  await part.forget(wrong)
  throw new VerificationError('E_VERIFY', `${wrong.length} blocks of ${part.path} read back differ`, {
    details: {
      path: part.path,
      offset: (wrong[0] as number) * stream.blockBytes,
      differingBlocks: wrong.length,
      blockBytes: stream.blockBytes,
      expected: expected.slice(0, 16),
      found: found.slice(0, 16),
      parts: parts.marks(),
    },
  })
}

/** What is read from memory is compared all the same, and that is said. */
async function forgetCached(path: string): Promise<DeviceError | null> {
  try {
    await dropFileCache(path)
    return null
  } catch (error) {
    DeviceError.accept(error)
    const { code, message, details } = error
    return new DeviceError(code, message, { details: { ...details, left: 'cache' } })
  }
}
