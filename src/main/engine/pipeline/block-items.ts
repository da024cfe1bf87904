/**
 * The items of a stream, in order, as the pool fills: cuts blocks into items and counts them back in. Plain generators
 * that ask for a block where they need it to be whole; `ItemReader` does the waiting. An item that needs none costs one
 * promise, which matters at a thousand items a second.
 */
import type { ExtentTable } from '#engine/formats/extents'
import { invariant } from '#shared/errors'
import { blockParts, gapParts, splitAtZeros, type Part } from './block-parts.ts'
import { blockStart, stretchParts, type BlockMap } from './block-map.ts'
import type { StreamItem } from './block-stream.ts'
import type { ReadyBlock, RingReader } from './ring.ts'

/** Zeros from one block to the next are told as one item, up to this much, so that a device can clear them at once. */
const mergeLimitBytes = 256 * 1024 * 1024

/** Asks for a block to be whole; `next` brings what the ring says of it. */
interface WantBlock {
  readonly kind: 'want'
  readonly block: number
}

/** Items, and blocks that are wanted before the next item can be told. */
export type ItemSteps = Generator<StreamItem | WantBlock, void, ReadyBlock | null>

export interface ExtentItemsOptions {
  readonly map: BlockMap
  readonly extents: ExtentTable
  readonly alignmentBytes: number
  readonly leastUnusedBytes: number
  /** A block may turn out to be wrong: nothing of its window is told before it is whole. */
  readonly isChecked: boolean
}

/** Items of an image of extents. */
export function* extentItems(ring: RingReader, options: ExtentItemsOptions): ItemSteps {
  const { map, extents } = options
  let told = 0
  for (let block = 0; block < map.blocks; block++) {
    const windowStart = blockStart(map, block)
    const windowEnd = windowStart + map.windowBytes
    const [firstByte] = stretchParts(map, windowStart, windowEnd).next().value ?? [windowStart]
    if (!options.isChecked || firstByte === windowStart) {
      // What comes before the block needs no waiting for it.
      if (firstByte > told)
        for (const part of gapParts(extents, told, firstByte, options)) yield gapItem(part)
      told = firstByte
    }
    const { zeroPieces } = yield* wantBlock(block)
    const parts: Part[] = []
    for (const part of blockParts(map, windowStart, zeroPieces)) {
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
export function* streamItems(ring: RingReader): ItemSteps {
  const { windowBytes } = ring
  for (let block = 0; ; block++) {
    const windowStart = block * windowBytes
    const { filledBytes, zeroPieces, isLast } = yield* wantBlock(block)
    const parts =
      filledBytes === 0
        ? []
        : [...splitAtZeros(windowStart, windowStart, windowStart + filledBytes, { windowBytes, zeroPieces })]
    yield* blockItems(ring, block, windowStart, parts)
    if (isLast) return
  }
}

/** The same, with neighbouring zeros as one item. The last zeros are held back until what follows is known. */
export function* mergeZeros(steps: ItemSteps): ItemSteps {
  let held: Extract<StreamItem, { kind: 'zero' }> | null = null
  let answer: ReadyBlock | null = null
  for (;;) {
    const { value: step, done } = steps.next(answer)
    answer = null
    if (done === true) break
    if (step.kind === 'want') {
      answer = yield step
    } else if (step.kind !== 'zero') {
      if (held !== null) yield held
      held = null
      yield step
    } else if (held !== null && held.lengthBytes < mergeLimitBytes) {
      held = { kind: 'zero', offset: held.offset, lengthBytes: held.lengthBytes + step.lengthBytes }
    } else {
      if (held !== null) yield held
      held = step
    }
  }
  if (held !== null) yield held
}

/** Walks the steps for `BlockStream.next`. */
export class ItemReader {
  readonly #ring: RingReader
  readonly #steps: ItemSteps
  readonly #whyNot: (ready: ReadyBlock | null) => unknown

  /** `whyNot`: the error for a block that is marked as failed, or, given null, for a ring that was stopped. */
  constructor(ring: RingReader, steps: ItemSteps, whyNot: (ready: ReadyBlock | null) => unknown) {
    this.#ring = ring
    this.#steps = mergeZeros(steps)
    this.#whyNot = whyNot
  }

  /** The next item, or null at the end. */
  async next(): Promise<StreamItem | null> {
    let answer: ReadyBlock | null = null
    for (;;) {
      const { value: step, done } = this.#steps.next(answer)
      if (done === true) return null
      if (step.kind !== 'want') return step
      answer = this.#ring.readyNow(step.block) ?? (await this.#ring.next(step.block))
      if (answer === null || answer.isFailed) throw this.#whyNot(answer)
    }
  }
}

function* wantBlock(block: number): Generator<WantBlock, ReadyBlock, ReadyBlock | null> {
  const ready = yield { kind: 'want', block }
  invariant(ready !== null, 'a block was wanted and not brought')
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
