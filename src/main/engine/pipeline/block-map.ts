/**
 * The geometry of the pool, the same for every thread. The disk is cut into *windows* of the pool's buffer size, at
 * multiples of it. A window that holds any part of a stretch is a *block*; blocks are counted from 0 in disk order.
 * Block `b` lives in slot `b mod slots`, each byte at its place within the window:
 *
 *     disk     |…window 7……|…window 8……|…window 9……|…………………|…window 4071…|
 *               ··ddddddddd ddd·····dd· ddddddddddd  (zeros)   dddddddddd
 *     blocks    12          13          14                     15
 *     slots     4           5           6                      7            of 8
 *
 * So a byte is as aligned in memory as it is on the disk, no block wraps round, and a run that spans windows lies in
 * slots next to one another, but for the last slot and the first. Work is claimed in *claims*: equal parts of a window.
 */
import { firstStretchEndingAfter, type Stretches } from './stretches.ts'

/** Plain data over shared memory: sent to the workers. */
export interface BlockMap {
  readonly sizeBytes: number
  /** A window, a block's room, a slot. */
  readonly windowBytes: number
  readonly slots: number
  /** What a worker takes at a time; `claimsPerWindow` of them make a window, the last may be short. */
  readonly claimBytes: number
  readonly claimsPerWindow: number
  readonly blocks: number
  readonly stretches: Stretches
  /** The block of each stretch's first window. */
  readonly firstBlock: Float64Array<SharedArrayBuffer>
}

export interface BlockMapOptions {
  readonly sizeBytes: number
  readonly windowBytes: number
  readonly slots: number
  readonly claimBytes: number
}

export function planBlocks(stretches: Stretches, options: BlockMapOptions): BlockMap {
  const { windowBytes } = options
  const firstBlock = new Float64Array(new SharedArrayBuffer(stretches.count * 8))
  let blocks = 0
  let lastWindow = -1
  for (let index = 0; index < stretches.count; index++) {
    const from = Math.floor((stretches.start[index] ?? 0) / windowBytes)
    const to = Math.floor(((stretches.end[index] ?? 0) - 1) / windowBytes)
    // Two stretches may meet in one window.
    firstBlock[index] = from === lastWindow ? blocks - 1 : blocks
    blocks = (firstBlock[index] ?? 0) + (to - from) + 1
    lastWindow = to
  }
  const claimBytes = Math.min(options.claimBytes, windowBytes)
  return {
    ...options,
    claimBytes,
    claimsPerWindow: Math.ceil(windowBytes / claimBytes),
    blocks,
    stretches,
    firstBlock,
  }
}

/** Where block `block` begins on the disk: a multiple of the window. */
export function blockStart(map: BlockMap, block: number): number {
  const stretch = lastStretchBeginningBy(map, block)
  const window = Math.floor((map.stretches.start[stretch] ?? 0) / map.windowBytes)
  return (window + block - (map.firstBlock[stretch] ?? 0)) * map.windowBytes
}

/** The block that holds `offset`, which must lie in a stretch. */
export function blockAt(map: BlockMap, offset: number): number {
  const stretch = firstStretchEndingAfter(map.stretches, offset)
  const window = Math.floor((map.stretches.start[stretch] ?? 0) / map.windowBytes)
  return (map.firstBlock[stretch] ?? 0) + Math.floor(offset / map.windowBytes) - window
}

/** Parts of stretches between two offsets of the disk, in order. */
export function* stretchParts(map: BlockMap, from: number, to: number): Generator<readonly [number, number]> {
  const { stretches } = map
  for (let index = firstStretchEndingAfter(stretches, from); index < stretches.count; index++) {
    const start = Math.max(from, stretches.start[index] ?? 0)
    if (start >= to) return
    yield [start, Math.min(to, stretches.end[index] ?? 0)]
  }
}

/** Bytes of stretches in a window: what has to be filled until its block is whole. */
export function bytesInWindow(map: BlockMap, windowStart: number): number {
  let bytes = 0
  for (const [from, to] of stretchParts(map, windowStart, windowStart + map.windowBytes)) bytes += to - from
  return bytes
}

function lastStretchBeginningBy({ firstBlock }: BlockMap, block: number): number {
  let low = 0
  let high = firstBlock.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if ((firstBlock[middle] ?? 0) <= block) low = middle
    else high = middle - 1
  }
  return low
}
