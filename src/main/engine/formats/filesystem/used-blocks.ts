/** What every reader of used blocks gets and gives. */
import type { WholeReason } from '#shared/model'
import type { BadStretches } from './bad-stretches.ts'
import type { UsedRanges } from './used-ranges.ts'

/** A volume as the readers see it. */
export interface BlockVolume {
  readonly sizeBytes: number
  /** Throws FormatError when the stretch isn't whole inside, and what the medium throws. */
  read(offset: number, lengthBytes: number): Promise<Buffer>
}

/**
 * Finds what a volume's file system uses: everything but what its own records say is free. Throws `NotCertain` when these
 * can't be relied on, for whatever reason; FormatError means the same.
 */
export type UsedBlocksReader = (volume: BlockVolume) => Promise<Allocation>

export interface Allocation {
  readonly ranges: UsedRanges
  /** What the file system calls bad, in use or not. */
  readonly bad?: BadStretches
}

/** The allocation isn't known for certain: everything must be read. */
export class NotCertain extends Error {
  override readonly name = 'NotCertain'
  readonly reason: WholeReason

  constructor(reason: WholeReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** Throws `NotCertain` 'inconsistent' unless it holds. */
export function consistent(holds: boolean, what: string): asserts holds {
  if (!holds) throw new NotCertain('inconsistent', what)
}

/** Throws `NotCertain` 'features' when `flags` has bits that `known` hasn't. */
export function onlyKnown(flags: number, known: number, what: string): void {
  if ((flags & ~known) !== 0)
    throw new NotCertain('features', `${what} 0x${((flags & ~known) >>> 0).toString(16)}`)
}

/** A 64-bit number as a safe integer. Throws `NotCertain` 'inconsistent'. */
export function safe(value: bigint, what: string): number {
  consistent(value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER), what)
  return Number(value)
}
