/** What no stream brings: stretches that are zeros, and those that nothing is in. Beside the blocks, in any order. */
import type { BlockSink, OnPiece } from '#engine/block-io'
import { kindIndex, type ExtentTable } from '#engine/formats/extents'
import type { DiskEnds } from './disk-ends.ts'
import { padded } from './head-blocks.ts'
import { stretchProgress } from './stretch-progress.ts'

export interface FillOptions {
  readonly sink: BlockSink
  readonly extents: ExtentTable
  /** Blanked already: unused space in them stays zeros. */
  readonly ends: DiskEnds
  readonly clearUnused: boolean
  readonly signal: AbortSignal
  readonly onFilled: (bytes: number, how: 'written' | 'zeroed' | 'skipped') => void
}

/** As much as a copy zeroes at once (see copy-blocks.ts). */
const stepBytes = 256 * 1024 * 1024

/** Throws what the sink's `zero` and `discard` throw, the signal's reason. Neighbours that are both zeros go in one. */
export async function fillGaps({
  sink,
  extents,
  ends,
  clearUnused,
  signal,
  onFilled,
}: FillOptions): Promise<void> {
  for (const gap of gaps(extents, clearUnused)) {
    signal.throwIfAborted()
    const { from, to } = gap
    // The head is zeros until it is written.
    const start = Math.min(to, Math.max(from, ends.headEnd))
    if (start > from) onFilled(start - from, gap.isZero ? 'zeroed' : 'skipped')
    if (to === start) continue
    if (gap.isZero) {
      const isLast = to === endOf(extents)
      const end = isLast ? padded(to, sink) : to
      // In steps: where zeros are sent, one gap may take an hour.
      for (let at = start; at < end;) {
        signal.throwIfAborted()
        const stepEnd = Math.min(end, at + stepBytes)
        const progress = stretchProgress(Math.max(0, Math.min(to, stepEnd) - at), onFilled)
        const tell: OnPiece = (bytes, how) => progress.piece(bytes, how === 'written' ? 'written' : 'zeroed')
        const how = await sink.zero(at, stepEnd - at, signal, tell)
        progress.rest(how === 'written' ? 'written' : 'zeroed')
        at = stepEnd
      }
    } else {
      const end = Math.min(to, Math.max(start, ends.tailStart))
      const progress = stretchProgress(to - start, onFilled)
      const tell: OnPiece = (bytes) => progress.piece(bytes, 'skipped')
      if (end > start) await sink.discard(start, end - start, signal, tell)
      progress.rest('skipped')
    }
  }
}

interface Gap {
  readonly from: number
  readonly to: number
  readonly isZero: boolean
}

function* gaps({ count, kind, diskOffset, diskBytes }: ExtentTable, clearUnused: boolean): Generator<Gap> {
  for (let row = 0; row < count;) {
    const isZero = isZeroRow(row)
    if (!isGap(row)) {
      row++
      continue
    }
    const from = diskOffset[row] ?? 0
    let to = from
    // Rows leave no gap: the next one begins where this one ends.
    for (; row < count && isGap(row) && isZeroRow(row) === isZero; row++)
      to = (diskOffset[row] ?? 0) + (diskBytes[row] ?? 0)
    yield { from, to, isZero }
  }

  function isZeroRow(row: number): boolean {
    return kind[row] === kindIndex.zero || (clearUnused && kind[row] === kindIndex.ignore)
  }
  function isGap(row: number): boolean {
    return kind[row] === kindIndex.zero || kind[row] === kindIndex.ignore
  }
}

const endOf = ({ count, diskOffset, diskBytes }: ExtentTable) =>
  (diskOffset[count - 1] ?? 0) + (diskBytes[count - 1] ?? 0)
