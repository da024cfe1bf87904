/** Reads the destination past the cache, several blocks at once, and tells which of them aren't what the image's hashes say. */
import { allocatePageAligned, type BlockSink } from '#engine/block-io'
import type { ExtentTable } from '#engine/formats/extents'
import { createBlockHasher } from '#engine/hashing'
import type { HashedBlocks } from '#engine/pipeline'
import { isZeros } from './block-checksums.ts'
import type { BlockCrcs } from './block-crcs.ts'
import type { DiskEnds } from './disk-ends.ts'
import { readHeld } from './read-held.ts'
import { unusedParts } from './unused-parts.ts'

export interface CompareOptions {
  readonly sink: BlockSink
  /** What lies past it reads as zeros. */
  readonly heldBytes: number
  readonly blocks: HashedBlocks
  /** So many of them are in memory at once. */
  readonly lanes: number
  readonly extents: ExtentTable
  /** Unused space must be zeros everywhere, and not only at the ends of the disk. */
  readonly clearUnused: boolean
  readonly ends: DiskEnds
  /** Told of what was read. Null where nobody will verify. */
  readonly crcs: BlockCrcs | null
  readonly signal: AbortSignal
}

/**
 * Whether each of `indices` is right; `tell` hears it of every block, in the order in which they are done. What a block
 * marks as unused may be anything; a block that is unused as a whole isn't read, and isn't wrong. Throws what the sink's `read` throws, the
 * signal's reason. Nothing is under way any more when it settles.
 */
export async function compareBlocks(
  indices: Iterable<number>,
  options: CompareOptions,
  tell: (index: number, same: boolean) => void,
): Promise<void> {
  const { sink, blocks, heldBytes, lanes, crcs, signal } = options
  const { blockBytes } = blocks
  const room = allocatePageAligned(lanes * blockBytes)
  await using hasher = createBlockHasher()
  const next = indices[Symbol.iterator]()
  const all = { failed: false }

  async function compare(index: number, into: Uint8Array<SharedArrayBuffer>): Promise<boolean> {
    const start = blocks.startOf(index)
    const bytes = into.subarray(0, blocks.lengthOf(index))
    const unused = looseParts(options, start, start + bytes.length)
    if (unused[0]?.[0] === start && unused[0][1] === start + bytes.length) return true
    await readHeld(sink, into, { offset: start, lengthBytes: bytes.length, heldBytes })
    for (const [from, to] of unused) bytes.fill(0, from - start, to - start)
    if (isZeros(bytes)) {
      crcs?.set(index, bytes)
      return blocks.isHashOfZeros(index)
    }
    const digest = hasher.digest(bytes)
    // While the hash is made elsewhere.
    crcs?.set(index, bytes)
    return blocks.isHashOf(index, await digest)
  }
  async function lane(into: Uint8Array<SharedArrayBuffer>): Promise<void> {
    try {
      for (let { value, done } = next.next(); done !== true && !all.failed; { value, done } = next.next()) {
        signal.throwIfAborted()
        const same = await compare(value, into)
        signal.throwIfAborted()
        tell(value, same)
      }
    } catch (error) {
      all.failed = true
      throw error
    }
  }

  const results = await Promise.allSettled(
    Array.from({ length: lanes }, (_, at) => lane(room.subarray(at * blockBytes, (at + 1) * blockBytes))),
  )
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

/** What of a block is compared: stretches of `from` to `to`, in order. None of one that is unused as a whole. */
export function comparedParts(
  options: CompareOptions,
  index: number,
): readonly (readonly [number, number])[] {
  const end = options.blocks.startOf(index) + options.blocks.lengthOf(index)
  const parts: (readonly [number, number])[] = []
  let at = options.blocks.startOf(index)
  for (const [from, to] of [...looseParts(options, at, end), [end, end] as const]) {
    if (from > at) parts.push([at, from])
    at = to
  }
  return parts
}

/** Unused space that may hold anything: stretches of `from` to `to`, in order. */
function looseParts(
  { clearUnused, ends, extents }: CompareOptions,
  from: number,
  to: number,
): readonly (readonly [number, number])[] {
  if (clearUnused) return []
  return [...unusedParts(extents, Math.max(from, ends.headEnd), Math.min(to, ends.tailStart))]
}
