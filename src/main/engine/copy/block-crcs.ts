/**
 * The image's own checksums, recomputed from blocks that are read in any order and some of them twice: CRC-32 of each
 * block's pieces, put together at the end. A piece never reaches over the end of a checksummed range, nor from used space
 * into unused. Four bytes a block, where a block is one piece.
 */
import { crc32 } from 'node:zlib'
import type { ExtentLayout } from '#engine/formats/extents'
import { appendZeros, combineCrc32, type BadRange } from '#engine/pipeline'
import { invariant } from '#shared/errors'
import type { HashedBlocks } from '#engine/pipeline'
import { unusedParts } from './unused-parts.ts'

/** Bytes `from` to `to` (exclusive) of the disk. */
interface Piece {
  readonly from: number
  readonly to: number
  readonly isUnused: boolean
  /** Index into the layout's checks, where the piece lies in one. */
  readonly range: number | null
}

export class BlockCrcs {
  readonly #layout: ExtentLayout
  readonly #blocks: HashedBlocks
  /** Of a block's first used piece, and of all of them where it has more. */
  readonly #first: Uint32Array
  readonly #all = new Map<number, Uint32Array>()

  constructor(layout: ExtentLayout, blocks: HashedBlocks) {
    this.#layout = layout
    this.#blocks = blocks
    this.#first = new Uint32Array(blocks.count)
  }

  /** Block `index` holds `bytes`. The last call for a block counts. */
  set(index: number, bytes: Uint8Array): void {
    const start = this.#blocks.startOf(index)
    const crcs: number[] = []
    for (const { from, to, isUnused } of this.#pieces(index))
      if (!isUnused) crcs.push(crc32(bytes.subarray(from - start, to - start)))
    this.#first[index] = crcs[0] ?? 0
    if (crcs.length > 1) this.#all.set(index, Uint32Array.from(crcs))
  }

  /** After the last block. `crc32` of the whole disk, unused space as zeros; the first checksum of the image that is wrong. */
  finish(): { readonly crc32: number; readonly bad: BadRange | null } {
    const { checks } = this.#layout
    const found = new Uint32Array(checks.length)
    let total = 0
    for (let index = 0; index < this.#blocks.count; index++) {
      const crcs = this.#all.get(index) ?? this.#first.subarray(index, index + 1)
      let next = 0
      for (const { from, to, isUnused, range } of this.#pieces(index)) {
        if (isUnused) {
          total = appendZeros(total, to - from)
          continue
        }
        const crc = crcs[next++]
        invariant(crc !== undefined, 'a piece of a block has no checksum')
        total = combineCrc32(total, crc, to - from)
        if (range !== null) found[range] = combineCrc32(found[range] ?? 0, crc, to - from)
      }
    }
    for (const [range, { name, diskOffset, diskBytes, crc32: expected }] of checks.entries()) {
      if (found[range] === expected) continue
      return { crc32: total, bad: { name, diskOffset, diskBytes, expected, found: found[range] ?? 0 } }
    }
    return { crc32: total, bad: null }
  }

  *#pieces(index: number): Generator<Piece> {
    const { checks, extents } = this.#layout
    const start = this.#blocks.startOf(index)
    const end = start + this.#blocks.lengthOf(index)
    let range = firstEndingAfter(checks, start)
    let at = start
    while (at < end) {
      const check = checks[range]
      const inside = check !== undefined && check.diskOffset <= at
      const border =
        check === undefined ? end : inside ? check.diskOffset + check.diskBytes : check.diskOffset
      const to = Math.min(end, border)
      let told = at
      const within = inside ? range : null
      for (const [from, until] of unusedParts(extents, at, to)) {
        if (from > told) yield { from: told, to: from, isUnused: false, range: within }
        yield { from, to: until, isUnused: true, range: within }
        told = until
      }
      if (to > told) yield { from: told, to, isUnused: false, range: within }
      at = to
      while (range < checks.length && endOf(checks[range]) <= at) range++
    }
  }
}

const endOf = (check: ExtentLayout['checks'][number] | undefined) =>
  check === undefined ? Infinity : check.diskOffset + check.diskBytes

function firstEndingAfter(checks: ExtentLayout['checks'], offset: number): number {
  let low = 0
  let high = checks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (endOf(checks[middle]) > offset) high = middle
    else low = middle + 1
  }
  return low
}
