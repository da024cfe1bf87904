/**
 * Compares an image with what our own scan stored in it: each block, each partition. A digest of a partition that isn't what its blocks come
 * to, where all of these are right, is another program's: what those cover isn't known well enough to call an image damaged.
 */
import type { ExtentLayout } from '#engine/formats/extents'
import { readBlockHashes, type OpenImage } from '#engine/formats/image'
import { digestBytes } from '#engine/formats/udif'
import type { JobContext } from '#engine/job'
import { FormatError } from '#shared/errors'
import { publicLocator, type ImageVerification } from '#shared/model'
import { choosePartitions } from './choose-partitions.ts'
import { hashDisk } from './hash-disk.ts'

/**
 * Reads the disk inside once and compares it with the image's checksums, its block hashes and the digests of its partitions.
 * Throws FormatError E_SRC_CORRUPT for the first block that differs (`details`: `diskOffset`, `diskBytes`, `expected`, `found`), and
 * what reading throws; the signal's reason.
 */
export async function checkScan(
  { info }: OpenImage,
  layout: ExtentLayout,
  context: JobContext,
): Promise<ImageVerification['checked'][number][]> {
  const { scan } = info
  const path = publicLocator(info.path)
  const { signal } = context
  const advance = (doneBytes: number) => context.advance(doneBytes)
  const stored = await readBlockHashes(info, { signal })
  if (scan === null || scan.blocks === null || stored === null) return []
  const parts = choosePartitions(info)
  const { blockBytes } = stored
  const { stretches, hashes } = await hashDisk(layout, {
    path,
    stretches: parts,
    blockBytes,
    signal,
    advance,
  })
  const wrong = (what: string, diskOffset: number, diskBytes: number, expected: string, found: string) =>
    new FormatError('E_SRC_CORRUPT', `${path}: ${what} isn't what the scan says`, {
      details: {
        format: 'udif',
        field: `SHA-256 of ${what}`,
        offset: diskOffset,
        expected,
        found,
        diskOffset,
        diskBytes,
        path,
      },
    })
  const hexAt = (bytes: Uint8Array, index: number) =>
    Buffer.from(bytes.subarray(index * digestBytes, (index + 1) * digestBytes)).toString('hex')
  for (let index = 0; index < hashes.length / digestBytes; index++) {
    const [expected, found] = [hexAt(stored.hashes, index), hexAt(hashes, index)]
    if (expected === found) continue
    const diskOffset = index * blockBytes
    throw wrong(
      `block ${index}`,
      diskOffset,
      Math.min(blockBytes, layout.sizeBytes - diskOffset),
      expected,
      found,
    )
  }
  const checked = [{ what: `${scan.blocks.count} blocks`, algorithm: 'SHA-256', value: scan.blocks.root }]
  for (const [index, { id }] of parts.entries()) {
    const expected = scan.partitions.find(({ partNum }) => partNum === id)?.sha256 ?? null
    const found = Buffer.from(stretches[index]?.sha256 ?? []).toString('hex')
    if (expected === found) checked.push({ what: `partition ${id}`, algorithm: 'SHA-256', value: found })
  }
  return checked
}
