/** CRC-32 of stretches of the disk, as UDIF tables store them: zeros count, what the image ignores doesn't. */
import { crc32 } from 'node:zlib'
import type { ExtentLayout } from '#engine/formats/extents'
import { appendZeros, badRangeError, createDiskChecker, defaultPool, openBlockStream } from '#engine/pipeline'
import { CountedParts } from './counted-parts.ts'
import type { Stretch } from './disk-hasher.ts'

/**
 * Reads the disk once. One number for each of `stretches`, which ascend and don't overlap. Throws FormatError E_SRC_CORRUPT for
 * what contradicts the checksums that are there; what opening and reading throw; the signal's reason.
 */
export async function computeTableChecksums(
  layout: ExtentLayout,
  options: {
    readonly path: string
    readonly stretches: readonly Stretch[]
    readonly signal: AbortSignal
    readonly advance: (doneBytes: number) => void
  },
): Promise<number[]> {
  const { path, stretches, signal } = options
  const counted = new CountedParts(layout.extents)
  const sums = stretches.map(() => 0)
  const checker = createDiskChecker(layout)
  let first = 0
  await using stream = await openBlockStream(layout, { pool: defaultPool, alignmentBytes: 512, signal })
  for (let item = await stream.next(); item !== null; item = await stream.next()) {
    const { offset } = item
    const bytes = item.kind === 'data' ? item.bytes : null
    const end = offset + (item.kind === 'data' ? item.bytes.length : item.lengthBytes)
    let bad
    try {
      bad = item.kind === 'data' ? checker.data(offset, item.bytes) : checker[item.kind](offset, end - offset)
      for (let index = first; index < stretches.length; index++) {
        const stretch = stretches[index]
        if (stretch === undefined || stretch.offset >= end) break
        const stretchEnd = stretch.offset + stretch.sizeBytes
        if (stretchEnd <= offset) {
          first = index + 1
          continue
        }
        for (const [from, to] of counted.between(Math.max(offset, stretch.offset), Math.min(end, stretchEnd)))
          sums[index] =
            bytes === null
              ? appendZeros(sums[index] ?? 0, to - from)
              : crc32(bytes.subarray(from - offset, to - offset), sums[index])
      }
    } finally {
      if (item.kind === 'data') item.release()
    }
    if (bad) throw badRangeError(bad, path)
    options.advance(end)
  }
  const bad = checker.finish()
  if (bad) throw badRangeError(bad, path)
  return sums
}
