/** Partitions taken out of an image: their bytes are those that the disk has there, and their checksums hold. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openImage } from '#engine/formats/image'
import { partitionLayout } from '#src/main/engine/copy/partition-layout.ts'
import { expandImage } from '#test/expand-image'
import { missing } from '#test/needs'
import { realImageList } from '#test/real-images'
import { recomputeChecks } from '#test/recompute-checks'

async function bytesOf(image: Parameters<typeof expandImage>[0]): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(image)) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Partition by partition. How many checksums each has of its own. */
async function checksOf(path: string): Promise<readonly number[]> {
  const { info, layout } = await openImage(path)
  if (layout.kind !== 'extents') throw new Error('no extents')
  const disk = await bytesOf({ layout })
  const counts: number[] = []
  for (const partition of info.partitions) {
    const alone = partitionLayout(layout, partition, info.name)
    const { offset, sizeBytes } = partition
    expect(Buffer.compare(await bytesOf({ layout: alone }), disk.subarray(offset, offset + sizeBytes))).toBe(
      0,
    )
    expect(await recomputeChecks(alone)).toEqual(alone.checks.map(({ crc32 }) => crc32))
    counts.push(alone.checks.length)
  }
  return counts
}

it('a partition is what the disk holds there, alone', async () => {
  expect(await checksOf(join(import.meta.dirname, 'good/udro.dmg'))).toEqual([1])
})

const mapped = realImageList.filter(({ file }) => /^(dmgwiz\/input_(?!aes)|node-udif\/(?!encrypted))/.test(file))

describe.skipIf(missing('images'))("a partition of one of Apple's images, alone", () => {
  it.each(mapped.map(({ file, path }) => [file, path] as const))('%s', async (_, path) => {
    const counts = await checksOf(path)
    expect(counts.length).toBeGreaterThan(0)
    expect(new Set(counts)).toEqual(new Set([1]))
  })
})
