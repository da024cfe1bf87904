/**
 * The verify of a disk that came by multicast: read back past the cache, block by block, against the hashes that the image's
 * scan left, and its tables' checksums over the same bytes. The head isn't on the disk yet: a disk shows its partition map
 * only when all behind it was found right.
 */
import { createHash } from 'node:crypto'
import { allocatePageAligned, DifferingParts, type BlockSink } from '#engine/block-io'
import type { ExtentLayout } from '#engine/formats/extents'
import type { JobContext } from '#engine/job'
import { badRangeError } from '#engine/pipeline'
import type { Buffering } from '#shared/model'
import { BlockCrcs } from './block-crcs.ts'
import { comparesAtOnce } from './buffer-sizes.ts'
import { comparedParts, compareBlocks, type CompareOptions } from './compare-blocks.ts'
import type { DiskEnds } from './disk-ends.ts'
import type { HashedBlocks } from '#engine/pipeline'
import { headBytes, padded, type HeadBlocks } from './head-blocks.ts'
import { verificationFailure } from './locate-difference.ts'
import { readHeld } from './read-held.ts'

export interface VerifyReceivedOptions {
  readonly sink: BlockSink
  readonly head: HeadBlocks
  readonly blocks: HashedBlocks
  readonly layout: ExtentLayout
  readonly ends: DiskEnds
  readonly clearUnused: boolean
  readonly buffering: Buffering
  /** For messages. */
  readonly sourcePath: string
  readonly context: JobContext
}

/** Resolves to the disk's CRC-32, unused space as zeros. Throws VerificationError; FormatError E_SRC_CORRUPT where the image contradicts itself; what reading throws, the signal's reason. */
export async function verifyReceived(options: VerifyReceivedOptions): Promise<number> {
  const { blocks, layout, ends, clearUnused, buffering, context } = options
  const sink = withHead(options.sink, options.head)
  const crcs = new BlockCrcs(layout, blocks)
  /** All of them, on a stick that claims to be larger than it is: millions. */
  const wrong = { first: Infinity, count: 0 }
  const parts = new DifferingParts(blocks.sizeBytes)
  let done = 0
  context.limitedBy('destination')
  const compare: CompareOptions = {
    sink,
    heldBytes: Infinity,
    blocks,
    lanes: comparesAtOnce(buffering, blocks.blockBytes),
    extents: layout.extents,
    clearUnused,
    ends,
    crcs,
    signal: context.signal,
  }
  await compareBlocks(blocks.within(0, blocks.sizeBytes), compare, (index, same) => {
    if (!same) wrong.first = Math.min(wrong.first, index)
    if (!same) wrong.count += 1
    for (const [from, to] of comparedParts(compare, index)) parts.add(from, to - from, same)
    done += blocks.lengthOf(index)
    context.advance(done)
  })
  if (wrong.count > 0) throw await different(sink, blocks, { ...wrong, parts: parts.marks() })
  const { crc32, bad } = crcs.finish()
  // The disk is what the hashes say, and the hashes aren't what the image's checksums say: no disk can be both.
  if (bad !== null) throw badRangeError(bad, options.sourcePath)
  return crc32
}

/** The head, which was written last: read back and compared. Throws VerificationError. */
export async function verifyHead(sink: BlockSink, head: HeadBlocks, sizeBytes: number): Promise<void> {
  const length = Math.min(head.bytes.length, sizeBytes)
  const found = allocatePageAligned(padded(length, sink))
  await sink.read(found, 0)
  for (let index = 0; index < length; index++) {
    if (found[index] === head.bytes[index]) continue
    const show = (bytes: Uint8Array) => Buffer.from(bytes.slice(index, index + shownBytes)).toString('hex')
    throw verificationFailure(sink.path, {
      offset: index,
      differingBlocks: 1,
      blockBytes: length,
      expected: show(head.bytes),
      found: show(found),
    })
  }
}

const shownBytes = 16

/** The disk as it will be. */
function withHead(sink: BlockSink, head: HeadBlocks): BlockSink {
  return {
    path: sink.path,
    sizeBytes: sink.sizeBytes,
    alignmentBytes: sink.alignmentBytes,
    write: (bytes, offset) => sink.write(bytes, offset),
    zero: (offset, lengthBytes, signal, onPiece) => sink.zero(offset, lengthBytes, signal, onPiece),
    discard: (offset, lengthBytes, signal, onPiece) => sink.discard(offset, lengthBytes, signal, onPiece),
    flush: () => sink.flush(),
    async read(into, offset) {
      await sink.read(into, offset)
      if (offset < headBytes) into.set(head.bytes.subarray(offset, Math.min(headBytes, offset + into.length)))
    },
    finish: (sizeBytes) => sink.finish(sizeBytes),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function different(
  sink: BlockSink,
  blocks: HashedBlocks,
  { first, count, parts }: { readonly first: number; readonly count: number; readonly parts: string },
) {
  const lengthBytes = blocks.lengthOf(first)
  const offset = blocks.startOf(first)
  const bytes = allocatePageAligned(padded(lengthBytes, sink))
  // It may not be readable any more, or right now: the block is known all the same.
  const found = await readHeld(sink, bytes, { offset, lengthBytes, heldBytes: Infinity }).then(
    () => createHash('sha256').update(bytes.subarray(0, lengthBytes)).digest(),
    () => null,
  )
  return verificationFailure(sink.path, {
    offset,
    differingBlocks: count,
    blockBytes: blocks.blockBytes,
    expected: hexHash(blocks.hashOf(first)),
    found: found === null ? 'unreadable' : hexHash(found),
    parts,
  })
}

const hexHash = (hash: Uint8Array) => `sha256 ${Buffer.from(hash).toString('hex')}`
