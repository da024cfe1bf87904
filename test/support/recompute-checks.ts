/** The checksums of an image's contents by the plainest means: what an image stores must be these. */
import { crc32 } from 'node:zlib'
import { openFileSource } from '#engine/block-io'
import { openDecrypted } from '#engine/formats/encrypted'
import { kindIndex, type ExtentLayout } from '#engine/formats/extents'
import { DiskReader } from '#src/main/engine/formats/image/disk-reader.ts'

/** As large as a piece gets: a zero run may be gigabytes. */
const pieceBytes = 1024 * 1024

/** CRC-32 of each range of `layout.checks`, ignored rows left out. */
export async function recomputeChecks(layout: ExtentLayout): Promise<number[]> {
  const { extents } = layout
  await using disk = new DiskReader(layout, { open: openFileSource, decodeBudgetBytes: Infinity })
  const values: number[] = []
  for (const { diskOffset, diskBytes } of layout.checks) {
    let value = 0
    for (let row = 0; row < extents.count; row++) {
      const start = extents.diskOffset[row] ?? 0
      const end = start + (extents.diskBytes[row] ?? 0)
      if (extents.kind[row] === kindIndex.ignore || start < diskOffset || end > diskOffset + diskBytes)
        continue
      for (let at = start; at < end; at += pieceBytes)
        value = crc32(await disk.read(at, Math.min(pieceBytes, end - at)), value)
    }
    values.push(value)
  }
  return values
}

/** CRC-32 of each data fork of `layout.storedChecks`. */
export async function recomputeStoredChecks({ storedChecks }: ExtentLayout): Promise<number[]> {
  return await Promise.all(
    storedChecks.map(async ({ path, fileOffset, lengthBytes, cipher }) => {
      const file = await openFileSource(path)
      await using source = cipher === undefined ? file : openDecrypted(file, cipher)
      const bytes = new Uint8Array(lengthBytes)
      await source.read(bytes, fileOffset)
      return crc32(bytes)
    }),
  )
}
