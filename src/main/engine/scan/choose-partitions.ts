/** Which parts of a disk a scan stores numbers of, and under which number: docs/formats/asr-scan.md §2. */
import type { ImageInfo, ImagePartition, ImageTable } from '#shared/model'
import { sectorBytes } from '#shared/units'
import type { Stretch } from './disk-hasher.ts'

export interface ScannedPart extends Stretch {
  /** Of the table: part-num, and the ID of what is stored. */
  readonly id: number
  /** The partition or volume that begins there, where one is known. */
  readonly partition: ImagePartition | null
}

/**
 * Every table that isn't free space and has an ID from 0 on, in the order of the disk: -1 is the map's first sector. Where none
 * is left, all tables.
 */
export function choosePartitions(info: Pick<ImageInfo, 'tables' | 'partitions'>): ScannedPart[] {
  const tables = info.tables.filter(({ sectorCount }) => sectorCount > 0)
  const usual = tables.filter(({ id, name }) => id >= 0 && !/\(Apple_Free\b/.test(name))
  const chosen = (usual.length === 0 ? tables : usual).toSorted((a, b) => a.firstSector - b.firstSector)
  // Some writers give every table the same ID: then their places have to do.
  const areDistinct = new Set(chosen.map(({ id }) => id)).size === chosen.length
  return chosen.map((table, index) => ({
    id: areDistinct ? table.id : index,
    offset: table.firstSector * sectorBytes,
    sizeBytes: table.sectorCount * sectorBytes,
    partition: partitionOf(table, info.partitions),
  }))
}

function partitionOf(
  { firstSector }: ImageTable,
  partitions: readonly ImagePartition[],
): ImagePartition | null {
  return partitions.find(({ offset }) => offset === firstSector * sectorBytes) ?? null
}
