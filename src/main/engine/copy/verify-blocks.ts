/**
 * The verify: reads the destination back through the handle that wrote it, past the cache, and compares. Every block
 * against the sum of what was written; zeros with zeros; the image's own checksums over what was read; a device that
 * was copied, byte for byte, with itself. It goes on to the end, so that it can say how much is wrong.
 */
import { crc32 } from 'node:zlib'
import { DifferingParts, type BlockSink } from '#engine/block-io'
import type { JobContext } from '#engine/job'
import { appendZeros, combineCrc32, type BadRange, type DiskChecker } from '#engine/pipeline'
import { isZeros, type BlockChecksums } from './block-checksums.ts'
import { crc32Sums, shownSum } from './block-sum.ts'
import { readBack, type ReadBackOptions } from './read-back.ts'
import type { SourceComparison } from './source-comparison.ts'
import type { WrittenBlocks } from './written-blocks.ts'

export interface VerifyOptions extends ReadBackOptions {
  readonly sink: BlockSink
  readonly checksums: BlockChecksums
  /** What was written, of more that was told; the rest was found right before. Null: everything was written. */
  readonly written: WrittenBlocks | null
  /** A fresh one. Null where the source holds no checksums of its blocks. */
  readonly checker: DiskChecker | null
  /** For a source that has no checksums and can be read again: a device. Else null. */
  readonly comparison: SourceComparison | null
  readonly context: Pick<JobContext, 'advance' | 'limitedBy'>
}

export type Verdict =
  /** `crc32` of the whole image, unused space as zeros: the same on every disk and however the image is stored. */
  | { readonly kind: 'same'; readonly crc32: number }
  | {
      readonly kind: 'different'
      readonly differingBlocks: number
      readonly first: Difference
      /** See `VerificationDetails`. */
      readonly parts: string
    }
  /** Every block is what was written, and yet not what the image says. */
  | { readonly kind: 'contradicts'; readonly bad: BadRange }

/** A stretch of at most a block in which something differs. */
export interface Difference {
  readonly offset: number
  readonly lengthBytes: number
  /** The sum of the stretch as it should be, and as it was read; for people. */
  readonly expected: string
  readonly found: string
  /** It is what was written; the source has something else now. */
  readonly sourceChanged: boolean
}

/** Throws DeviceError E_IO_READ, E_DST_GONE (and E_SRC_* from the comparison), the signal's reason. */
export async function verifyBlocks(options: VerifyOptions): Promise<Verdict> {
  const { sink, checksums, written, checker, comparison, context } = options
  const { blockBytes } = checksums
  let bad: BadRange | null = null
  let differingBlocks = 0
  let lastDiffering = -1
  let first: Difference | null = null
  const parts = new DifferingParts(checksums.sizeBytes)
  /** Of the stretch so far. */
  const read = checksums.sums.create()
  /** CRC-32 of it, and of everything. */
  let crc = 0
  let total = 0
  let sourceSame = true
  let done = 0
  const advance = (bytes: number) => {
    done += bytes
    context.advance(done)
  }

  context.limitedBy('destination')
  for await (const { stretch, offset, bytes, isLastOfStretch } of readBack(
    sink,
    written === null ? checksums.stretches() : written.among(checksums.stretches()),
    { ...options, blockBytes },
  )) {
    if (stretch.kind === 'known') {
      total = combineCrc32(total, stretch.crc32, stretch.lengthBytes)
      parts.add(stretch.offset, stretch.lengthBytes, true)
      continue
    }
    if (stretch.kind === 'unused') {
      bad ??= checker?.unused(stretch.offset, stretch.lengthBytes) ?? null
      total = appendZeros(total, stretch.lengthBytes)
      advance(stretch.lengthBytes)
      continue
    }
    const isStillZero = stretch.kind === 'zero' && isZeros(bytes)
    const pieceCrc = isStillZero ? appendZeros(0, bytes.length) : crc32(bytes)
    bad ??= checker?.data(offset, bytes, pieceCrc) ?? null
    const isFirstOfStretch = offset === stretch.offset
    const compared = comparison === null || (await comparison.isSame(bytes, offset))
    sourceSame = (isFirstOfStretch || sourceSame) && compared
    if (stretch.kind === 'zero') {
      const same = isStillZero && compared
      parts.add(offset, bytes.length, same)
      if (!same)
        differs({
          offset,
          lengthBytes: bytes.length,
          expected: shownSum(crc32Sums, appendZeros(0, bytes.length)),
          found: shownSum(crc32Sums, pieceCrc),
          sourceChanged: isStillZero,
        })
      total = appendZeros(total, bytes.length)
    } else {
      crc = combineCrc32(isFirstOfStretch ? 0 : crc, pieceCrc, bytes.length)
      read.add(bytes, pieceCrc)
      if (isLastOfStretch) {
        const sum = read.take()
        const same = sum === stretch.sum
        parts.add(stretch.offset, stretch.lengthBytes, same && sourceSame)
        if (!same || !sourceSame)
          differs({
            offset: stretch.offset,
            lengthBytes: stretch.lengthBytes,
            expected: shownSum(checksums.sums, stretch.sum),
            found: shownSum(checksums.sums, sum),
            sourceChanged: same,
          })
        total = combineCrc32(total, crc, stretch.lengthBytes)
      }
    }
    advance(bytes.length)
  }
  bad ??= checker?.finish() ?? null
  if (first !== null) return { kind: 'different', differingBlocks, first, parts: parts.marks() }
  if (bad !== null) return { kind: 'contradicts', bad }
  return { kind: 'same', crc32: total }

  function differs(difference: Difference): void {
    first ??= difference
    const block = Math.floor(difference.offset / blockBytes)
    if (block === lastDiffering) return
    lastDiffering = block
    differingBlocks += 1
  }
}
