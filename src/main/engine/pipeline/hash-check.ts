/**
 * Compares what workers put into the pool with the hashes of its blocks, before anything of it is handed out. Whoever
 * completes a window hashes it: it is still in that processor's memory, and nobody else has to wait for it. A block of which
 * nothing passes through the pool is zeros, which is known before anything is read.
 */
import { createHash, hash } from 'node:crypto'
import { FormatError } from '#shared/errors'
import { publicLocator } from '#shared/model'
import { stretchParts, type BlockMap } from './block-map.ts'
import { HashedBlocks, type HashTable } from './hashed-blocks.ts'
import { firstStretchEndingAfter } from './stretches.ts'

/** What a stream is compared with. */
export interface HashDemand {
  readonly blocks: HashedBlocks
  /** Blocks that it is asked for. Null: all. */
  readonly isSelected: ((index: number) => boolean) | null
  /** For messages. */
  readonly path: string
}

/** The same as plain data over shared memory: sent to the workers. */
export interface HashOrder {
  readonly table: HashTable
  /** A byte for each block, 0 for one that isn't compared. Null: all are. */
  readonly selected: Uint8Array<SharedArrayBuffer> | null
  /** For messages. */
  readonly path: string
}

export function hashOrder({ blocks, isSelected, path }: HashDemand): HashOrder {
  let selected: Uint8Array<SharedArrayBuffer> | null = null
  if (isSelected !== null) {
    selected = new Uint8Array(new SharedArrayBuffer(blocks.count))
    for (let index = 0; index < blocks.count; index++) selected[index] = isSelected(index) ? 1 : 0
  }
  return { table: blocks.table, selected, path: publicLocator(path) }
}

const zeros = new Uint8Array(64 * 1024)

/** One for a thread. */
export class HashCheck {
  readonly #blocks: HashedBlocks
  readonly #selected: Uint8Array | null
  readonly #map: BlockMap
  readonly #path: string

  constructor({ table, selected, path }: HashOrder, map: BlockMap) {
    this.#blocks = new HashedBlocks(table)
    this.#selected = selected
    this.#map = map
    this.#path = path
  }

  /** Throws FormatError E_SRC_CORRUPT for the first block without data whose hash isn't that of zeros. */
  checkEmpty(): void {
    const blocks = this.#blocks
    const { stretches } = this.#map
    let stretch = 0
    for (let index = 0; index < blocks.count; index++) {
      const start = blocks.startOf(index)
      while (stretch < stretches.count && (stretches.end[stretch] ?? 0) <= start) stretch++
      const isEmpty =
        stretch === stretches.count || (stretches.start[stretch] ?? 0) >= start + blocks.lengthOf(index)
      if (isEmpty && this.#isSelected(index) && !blocks.isHashOfZeros(index)) throw this.#wrong(index)
    }
  }

  /**
   * `window`: all of the pool's window that begins at `windowStart` of the disk and holds whole blocks, or the disk's end. Throws
   * FormatError E_SRC_CORRUPT for the first block in it whose data isn't what its hash says.
   */
  check(windowStart: number, window: Uint8Array): void {
    const blocks = this.#blocks
    for (const index of blocks.within(windowStart, windowStart + this.#map.windowBytes))
      if (this.#isSelected(index) && !this.#isRight(index, windowStart, window)) throw this.#wrong(index)
  }

  #isRight(index: number, windowStart: number, window: Uint8Array): boolean {
    const start = this.#blocks.startOf(index)
    const end = start + this.#blocks.lengthOf(index)
    const bytes = (from: number, to: number) => window.subarray(from - windowStart, to - windowStart)
    const { stretches } = this.#map
    const stretch = firstStretchEndingAfter(stretches, start)
    if (stretch === stretches.count || (stretches.start[stretch] ?? 0) >= end) return true
    if ((stretches.start[stretch] ?? 0) <= start && (stretches.end[stretch] ?? 0) >= end)
      return this.#blocks.isHashOf(index, hash('sha256', bytes(start, end), 'buffer'))
    // Nothing is put where nothing is: the room holds what was there before.
    const digest = createHash('sha256')
    const addZeros = (lengthBytes: number) => {
      for (let left = lengthBytes; left > 0; left -= zeros.length)
        digest.update(left < zeros.length ? zeros.subarray(0, left) : zeros)
    }
    let at = start
    for (const [from, to] of stretchParts(this.#map, start, end)) {
      addZeros(from - at)
      digest.update(bytes(from, to))
      at = to
    }
    addZeros(end - at)
    return this.#blocks.isHashOf(index, digest.digest())
  }

  #isSelected(index: number): boolean {
    return this.#selected === null || this.#selected[index] === 1
  }

  /** The image's data at block `index` isn't what its own hash says. */
  #wrong(index: number): FormatError {
    const blocks = this.#blocks
    return new FormatError('E_SRC_CORRUPT', `${this.#path}: block ${index} isn't what its hash says`, {
      details: {
        format: 'udif',
        field: 'rpbh.hash',
        offset: blocks.startOf(index),
        diskOffset: blocks.startOf(index),
        diskBytes: blocks.lengthOf(index),
        expected: Buffer.from(blocks.hashOf(index)).toString('hex'),
        path: this.#path,
      },
    })
  }
}
