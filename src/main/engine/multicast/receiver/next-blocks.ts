import type { SequentialLayout } from '#engine/multicast/layout'

export interface NextBlocksOptions {
  readonly layout: SequentialLayout
  /** The section that the stream's walk comes to next. */
  readonly walkAt: number
  /** What they may take in memory, all together. */
  readonly bytes: number
  /** One at least, however large. */
  readonly isOneSure: boolean
  /** Nothing of the block came. */
  readonly isUntouched: (block: number) => boolean
}

/** The blocks to ask for where not all can be: those that the walk, as it goes, comes to first, and from their first section on. */
export function nextBlocks({ layout, walkAt, bytes, isOneSure, isUntouched }: NextBlocksOptions): number[] {
  const found: number[] = []
  const at = layout.blockOf(walkAt)
  const first = layout.firstSectionOf(at) === walkAt ? at : at + 1
  let left = bytes
  for (let step = 0; step < layout.blocks; step++) {
    const block = (first + step) % layout.blocks
    if (!isUntouched(block)) continue
    left -= layout.paddedLengthOf(block)
    if (left < 0 && (!isOneSure || found.length > 0)) break
    found.push(block)
  }
  return found
}
