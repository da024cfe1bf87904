/**
 * A restore onto a disk that already holds most of what it is going to hold: compares first, and writes what differs. With
 * the hashes of the image's blocks the destination is read once and nothing else; without them it is read beside the
 * source. What was compared was read from the medium, so only what was written is read again to verify it; but where the source is
 * a device, all of it is, beside the source.
 */
import { DifferingParts, type BlockSink } from '#engine/block-io'
import type { ExtentLayout } from '#engine/formats/extents'
import type { JobContext } from '#engine/job'
import { badRangeError } from '#engine/pipeline'
import { invariant, type VerificationError } from '#shared/errors'
import type { RestoreRequest, RestoreSummary } from '#shared/model'
import { BlockChecksums, checksumBlockBytes } from './block-checksums.ts'
import { BlockCrcs } from './block-crcs.ts'
import { bufferSizes, comparesAtOnce } from './buffer-sizes.ts'
import { ChangedSink } from './changed-sink.ts'
import { comparedParts, compareBlocks, type CompareOptions } from './compare-blocks.ts'
import type { Comparison } from './comparison.ts'
import { copyBlocks, type Copied } from './copy-blocks.ts'
import { diskEnds } from './disk-ends.ts'
import { HashedBlocks } from '#engine/pipeline'
import { padded } from './head-blocks.ts'
import { firstDifferingByte, verificationFailure } from './locate-difference.ts'
import { findZeros } from './read-held.ts'
import type { RestoreSource } from './restore-source.ts'
import { onlySelected } from './only-selected.ts'
import { selectBlocks } from './select-blocks.ts'
import { unusedBytes } from './unused-parts.ts'
import { verifyWritten } from './verify-written.ts'
import { WrittenBlocks } from './written-blocks.ts'

export interface ChangeOptions {
  readonly source: RestoreSource
  readonly sink: BlockSink
  /** Bytes the destination holds now: a device's size, or a file's. */
  readonly heldBytes: number
  /** See `CopyOptions`. */
  readonly capacityBytes: number | null
  readonly fixedBytes: number | null
  readonly request: RestoreRequest
  readonly context: JobContext
  readonly now: () => number
}

export type ChangeResult = Omit<
  RestoreSummary,
  'durationMs' | 'mountPoints' | 'ejected' | 'remounted' | 'warnings'
>

/** Throws what `copyBlocks` and `verifyBlocks` throw, VerificationError, the signal's reason. */
export function writeChanged(
  by: Exclude<Comparison, { kind: 'nothing' }>,
  options: ChangeOptions,
): Promise<ChangeResult> {
  const { source, request, context } = options
  // The ends are blanked where something is going to be written, which isn't known yet.
  context.skip('erasing')
  if (!request.verify) context.skip('verifying')
  context.enter('restoring', source.sizeBytes)
  return by.kind === 'hashes' ? writeByHashes(by, options) : writeBySource(options)
}

/** Everything is decoded; the sink compares. */
async function writeBySource(options: ChangeOptions): Promise<ChangeResult> {
  const { source, sink, request, context, now } = options
  const { bufferBytes, csumBufferBytes } = bufferSizes(request.buffering)
  const blockBytes = checksumBlockBytes(Math.max(bufferBytes, csumBufferBytes), source.sizeBytes)
  const checksums = request.verify ? new BlockChecksums(blockBytes) : null
  const written = new WrittenBlocks(blockBytes)
  const changes = newChanges(options, (offset, lengthBytes) => written.add(offset, lengthBytes))

  const beganMs = now()
  const copied = await copyChanges(options, changes, checksums)
  const copyMs = now() - beganMs

  const crc32 = checksums && (await verifyWritten({ source, sink, checksums, written, request, context }))
  const { sizeBytes, skippedBytes } = copied
  return resultOf(changes, { sizeBytes, skippedBytes, copyMs, crc32 })
}

async function copyChanges(
  { source, sink, request, capacityBytes, context, now }: ChangeOptions,
  changes: ChangedSink,
  checksums: BlockChecksums | null,
): Promise<Copied> {
  const { signal } = context
  await using stream = await source.openStream({ alignmentBytes: sink.alignmentBytes, signal })
  const copied = await copyBlocks({
    stream,
    sink: changes,
    checksums,
    context,
    signal,
    now,
    sizeBytes: source.sizeBytes,
    sourcePath: source.path,
    capacityBytes,
    // The sink sees to it.
    fixedBytes: null,
    checker: source.createChecker(),
    clearUnused: clearsUnused(request, sink),
    writeHead: (head, sizeBytes) => changes.writeEnds(head, sizeBytes),
  })
  await source.checkUnchanged()
  return copied
}

/** A file that was erased has holes where nothing is used: the same bytes come out of it here. */
const clearsUnused = ({ clearUnused }: RestoreRequest, sink: BlockSink) =>
  clearUnused || sink.sizeBytes === null

function newChanges(
  { sink, heldBytes, fixedBytes, context }: ChangeOptions,
  onWritten: (offset: number, lengthBytes: number) => void,
): ChangedSink {
  return new ChangedSink({ sink, heldBytes, fixedBytes, onWritten, signal: context.signal })
}

/** The destination is read, and only what isn't right is decoded. */
async function writeByHashes(
  { hashes }: Extract<Comparison, { kind: 'hashes' }>,
  options: ChangeOptions,
): Promise<ChangeResult> {
  const { source, sink, heldBytes, request, context, now } = options
  const { layout, path } = source
  invariant(layout.kind === 'extents', 'an image with hashes can be read in any order')
  const blocks = HashedBlocks.of(hashes, layout.sizeBytes, path)
  invariant(blocks !== null, 'the hashes were looked at in the preflight')
  const clearUnused = clearsUnused(request, sink)
  const compare: CompareOptions = {
    sink,
    heldBytes,
    blocks,
    lanes: comparesAtOnce(request.buffering, blocks.blockBytes),
    extents: layout.extents,
    clearUnused,
    ends: diskEnds(sink, heldBytes),
    crcs: request.verify ? new BlockCrcs(layout, blocks) : null,
    signal: context.signal,
  }

  const beganMs = now()
  const changes = newChanges(options, () => undefined)
  const { wrong, doneBytes } = await findWrong(compare, options)
  const rewritten =
    wrong.length > 0 || (await leavesMore(compare, options))
      ? selectRewritten(wrong, compare)
      : { count: 0, isSelected: () => false }
  if (rewritten.count > 0) await rewrite(layout, blocks, rewritten, changes, { ...options, doneBytes })
  // Nothing was read of the image that could have told that another is in its place.
  else await source.askServers(context.signal)
  await source.checkUnchanged()
  const copyMs = now() - beganMs

  const crc32 = await verifyHashes({ ...compare, heldBytes: Infinity }, rewritten, options)
  const skippedBytes = clearUnused ? 0 : unusedBytes(layout.extents)
  return resultOf(changes, { sizeBytes: layout.sizeBytes, skippedBytes, copyMs, crc32 })
}

/** Indices of the blocks that aren't what they should be. When that is known, half of what there is to do for them is done. */
async function findWrong(
  compare: CompareOptions,
  { context }: ChangeOptions,
): Promise<{ readonly wrong: readonly number[]; readonly doneBytes: number }> {
  const { blocks } = compare
  const wrong: number[] = []
  let doneBytes = 0
  context.limitedBy('destination')
  await compareBlocks(blocks.within(0, blocks.sizeBytes), compare, (index, same) => {
    if (!same) wrong.push(index)
    doneBytes += same ? blocks.lengthOf(index) : Math.floor(blocks.lengthOf(index) / 2)
    context.advance(doneBytes)
  })
  return { wrong, doneBytes }
}

/** There is something behind the image that a restore takes away: in the ends of a disk, in a file that is longer. */
async function leavesMore(
  { sink, blocks, ends, heldBytes, signal }: CompareOptions,
  { fixedBytes }: ChangeOptions,
): Promise<boolean> {
  const from = padded(blocks.sizeBytes, sink)
  if (sink.sizeBytes === null) {
    if (fixedBytes === null || heldBytes !== fixedBytes) return heldBytes !== (fixedBytes ?? blocks.sizeBytes)
    return !(await isZero(from, heldBytes))
  }
  return !(await isZero(from, ends.headEnd)) || !(await isZero(Math.max(from, ends.tailStart), ends.tailEnd))

  async function isZero(offset: number, end: number): Promise<boolean> {
    for await (const piece of findZeros(sink, { offset, lengthBytes: end - offset }, signal))
      if (!piece.isZero) return false
    return true
  }
}

interface Rewritten {
  readonly count: number
  readonly isSelected: (index: number) => boolean
}

/** Those that are wrong, and all that the ends of the disk are in: they are blanked first. */
function selectRewritten(wrong: readonly number[], { blocks, ends }: CompareOptions): Rewritten {
  const selected = new Uint8Array(blocks.count)
  for (const index of wrong) selected[index] = 1
  for (const index of blocks.within(0, ends.headEnd)) selected[index] = 1
  for (const index of blocks.within(ends.tailStart, ends.tailEnd)) selected[index] = 1
  return {
    count: selected.reduce((sum, each) => sum + each, 0),
    isSelected: (index) => selected[index] === 1,
  }
}

async function rewrite(
  layout: ExtentLayout,
  blocks: HashedBlocks,
  { isSelected }: Rewritten,
  changes: ChangedSink,
  { source, sink, request, context, now, doneBytes }: ChangeOptions & { readonly doneBytes: number },
): Promise<void> {
  const { signal } = context
  const { sizeBytes } = layout
  // What is passed over takes no time: the rest of the bar is what is written.
  const advance = (bytes: number) =>
    context.advance(doneBytes + Math.floor(((sizeBytes - doneBytes) * bytes) / sizeBytes))
  const unused = clearsUnused(request, sink) ? 'zeros' : 'unused'
  const stream = await source.openStream({
    layout: selectBlocks(layout, { blockBytes: blocks.blockBytes, isSelected, unused }),
    alignmentBytes: sink.alignmentBytes,
    hashes: { blocks, isSelected },
    signal,
  })
  await using selected = onlySelected(stream, blocks, isSelected)
  await copyBlocks({
    stream: selected,
    sink: changes,
    checksums: null,
    checker: null,
    context: { advance, limitedBy: (what) => context.limitedBy(what) },
    signal,
    now,
    sizeBytes,
    sourcePath: source.path,
    capacityBytes: null,
    fixedBytes: null,
    clearUnused: false,
    writeHead: (head, bytes) => changes.writeEnds(head, bytes),
  })
}

/**
 * Every block was read from the medium and had its hash, but those that were written: now they are read, too. Resolves to
 * the disk's CRC-32; null without a verify.
 */
async function verifyHashes(
  compare: CompareOptions,
  { isSelected }: Rewritten,
  { source, context }: ChangeOptions,
): Promise<number | null> {
  const { blocks, crcs } = compare
  if (crcs === null) return null
  const again = [...blocks.within(0, blocks.sizeBytes)].filter(isSelected)
  context.enter(
    'verifying',
    again.reduce((sum, index) => sum + blocks.lengthOf(index), 0),
  )
  const wrong: number[] = []
  let doneBytes = 0
  await compareBlocks(again, compare, (index, same) => {
    if (!same) wrong.push(index)
    doneBytes += blocks.lengthOf(index)
    context.advance(doneBytes)
  })
  if (wrong.length > 0)
    throw await wrongBlocks(
      wrong.toSorted((a, b) => a - b),
      compare,
      source,
    )
  const { crc32, bad } = crcs.finish()
  // The disk is what the hashes say, and the hashes aren't what the image's checksums say: no disk can be both.
  if (bad !== null) throw badRangeError(bad, source.path)
  return crc32
}

async function wrongBlocks(
  wrong: readonly number[],
  compare: CompareOptions,
  source: RestoreSource,
): Promise<VerificationError> {
  const { sink, blocks, signal } = compare
  const [first = 0] = wrong
  let exact: Awaited<ReturnType<typeof firstDifferingByte>> = null
  for (const [from, to] of comparedParts(compare, first))
    exact ??= await firstDifferingByte({ offset: from, lengthBytes: to - from }, sink, source, signal)
  return verificationFailure(sink.path, {
    offset: exact?.offset ?? blocks.startOf(first),
    differingBlocks: wrong.length,
    blockBytes: blocks.blockBytes,
    expected: exact?.expected ?? `sha256 ${Buffer.from(blocks.hashOf(first)).toString('hex')}`,
    found: exact?.found ?? 'something else',
    parts: partsOf(compare, wrong),
  })
}

/** All others were found right, before or after something was written. */
function partsOf(compare: CompareOptions, wrong: readonly number[]): string {
  const { blocks } = compare
  const parts = new DifferingParts(blocks.sizeBytes)
  const differing = new Set(wrong)
  for (const index of blocks.within(0, blocks.sizeBytes))
    for (const [from, to] of comparedParts(compare, index)) parts.add(from, to - from, !differing.has(index))
  return parts.marks()
}

function resultOf(
  { writtenBytes, zeroedBytes }: ChangedSink,
  {
    sizeBytes,
    skippedBytes,
    copyMs,
    crc32,
  }: {
    readonly sizeBytes: number
    readonly skippedBytes: number
    readonly copyMs: number
    readonly crc32: number | null
  },
): ChangeResult {
  return {
    restoredBytes: sizeBytes,
    writtenBytes,
    zeroedBytes,
    skippedBytes,
    unchangedBytes: Math.max(0, sizeBytes - skippedBytes - writtenBytes - zeroedBytes),
    bytesPerSecond: Math.round((sizeBytes / Math.max(1, copyMs)) * 1000),
    verified: crc32 !== null,
    checksum: crc32 === null ? null : crc32.toString(16).padStart(8, '0'),
  }
}
