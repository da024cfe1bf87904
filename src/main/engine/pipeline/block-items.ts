/** The items of a stream, in order, as the pool fills: waits for blocks, cuts them into items, counts them back in. */
import type { ExtentTable } from '#engine/formats/extents'
import { invariant } from '#shared/errors'
import { blockParts, gapParts, splitAtZeros, type Part } from './block-parts.ts'
import { blockStart, stretchParts, type BlockMap } from './block-map.ts'
import type { StreamItem } from './block-stream.ts'
import type { ReadyBlock, RingReader } from './ring.ts'

/** Zeros from one block to the next are told as one item, up to this much, so that a device can clear them at once. */
const mergeLimitBytes = 256 * 1024 * 1024

/** Why a block isn't coming: the error to throw. `block` null when the pool was stopped. */
export type WhyNot = (ready: ReadyBlock | null) => unknown

export interface ExtentItemsOptions {
  readonly map: BlockMap
  readonly extents: ExtentTable
  readonly alignmentBytes: number
  readonly leastUnusedBytes: number
}

/** Items of an image of extents. */
export async function* extentItems(
  ring: RingReader,
  whyNot: WhyNot,
  options: ExtentItemsOptions,
): AsyncGenerator<StreamItem> {
  const { map, extents } = options
  let told = 0
  for (let block = 0; block < map.blocks; block++) {
    const windowStart = blockStart(map, block)
    const windowEnd = windowStart + map.windowBytes
    // What comes before the block needs no waiting for it.
    const [firstByte] = stretchParts(map, windowStart, windowEnd).next().value ?? [windowStart]
    if (firstByte > told) for (const part of gapParts(extents, told, firstByte, options)) yield gapItem(part)
    told = firstByte
    const ready = await readyBlock(ring, block, whyNot)
    const parts: Part[] = []
    for (const part of blockParts(map, windowStart, ready.zeroPieces)) {
      if (part.from > told) parts.push(...gapParts(extents, told, part.from, options))
      parts.push(part)
      told = part.to
    }
    yield* blockItems(ring, block, windowStart, parts)
  }
  if (map.sizeBytes > told)
    for (const part of gapParts(extents, told, map.sizeBytes, options)) yield gapItem(part)
}

/** Items of a compressed stream: windows one after another, until the block that is marked as the last. */
export async function* streamItems(ring: RingReader, whyNot: WhyNot): AsyncGenerator<StreamItem> {
  const { windowBytes } = ring
  for (let block = 0; ; block++) {
    const windowStart = block * windowBytes
    const { filledBytes, zeroPieces, isLast } = await readyBlock(ring, block, whyNot)
    const parts =
      filledBytes === 0
        ? []
        : [...splitAtZeros(windowStart, windowStart, windowStart + filledBytes, { windowBytes, zeroPieces })]
    yield* blockItems(ring, block, windowStart, parts)
    if (isLast) return
  }
}

/** The same items, with neighbouring zeros as one. The last zeros are held back until what follows is known. */
export async function* mergeZeros(items: AsyncIterable<StreamItem>): AsyncGenerator<StreamItem> {
  let held: { readonly kind: 'zero'; readonly offset: number; readonly lengthBytes: number } | null = null
  for await (const item of items) {
    if (item.kind !== 'zero') {
      if (held !== null) yield held
      held = null
      yield item
    } else if (held !== null && held.lengthBytes < mergeLimitBytes) {
      held = { kind: 'zero', offset: held.offset, lengthBytes: held.lengthBytes + item.lengthBytes }
    } else {
      if (held !== null) yield held
      held = item
    }
  }
  if (held !== null) yield held
}

async function readyBlock(ring: RingReader, block: number, whyNot: WhyNot): Promise<ReadyBlock> {
  const ready = await ring.next(block)
  if (ready === null || ready.isFailed) throw whyNot(ready)
  return ready
}

/** The items of one block. Its slot is free when the last of its data items was released. */
function* blockItems(
  ring: RingReader,
  block: number,
  windowStart: number,
  parts: readonly Part[],
): Generator<StreamItem> {
  let held = parts.filter(({ kind }) => kind === 'data').length
  if (held === 0) ring.release(block)
  for (const part of parts) {
    if (part.kind !== 'data') {
      yield gapItem(part)
      continue
    }
    let isReleased = false
    yield {
      kind: 'data',
      offset: part.from,
      bytes: ring.view(block, part.from - windowStart, part.to - part.from),
      release() {
        invariant(!isReleased, 'an item was released twice')
        isReleased = true
        held -= 1
        if (held === 0) ring.release(block)
      },
    }
  }
}

function gapItem({ kind, from, to }: Part): StreamItem {
  return { kind: kind === 'unused' ? 'unused' : 'zero', offset: from, lengthBytes: to - from }
}
