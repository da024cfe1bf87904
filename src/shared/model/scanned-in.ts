/** What a scan says of one partition of an image. It goes by the image's tables. Pure. */
import { sectorBytes } from '#shared/units'
import type { ImageInfo, ImagePartition } from './image.ts'
import type { ScannedPartition } from './scan.ts'

/** Another partition's figures say nothing of this one. */
export function scannedIn(
  { scan, tables }: Pick<ImageInfo, 'scan' | 'tables'>,
  { offset, sizeBytes }: Pick<ImagePartition, 'offset' | 'sizeBytes'>,
): readonly ScannedPartition[] {
  const ids = new Set(
    tables
      .filter(
        ({ firstSector }) =>
          firstSector * sectorBytes >= offset && firstSector * sectorBytes < offset + sizeBytes,
      )
      .map(({ id }) => id),
  )
  return scan?.partitions.filter(({ partNum }) => ids.has(partNum)) ?? []
}

/** Null where the scan doesn't say, or says it of parts of it only. */
export function usedBytesOf(
  image: Pick<ImageInfo, 'scan' | 'tables'>,
  partition: Pick<ImagePartition, 'offset' | 'sizeBytes'>,
): number | null {
  const [scanned, ...others] = scannedIn(image, partition)
  const usedBytes = scanned?.usedBytes ?? null
  return usedBytes !== null && others.length === 0 && usedBytes <= partition.sizeBytes ? usedBytes : null
}
