/**
 * How large the sectors are that an MBR counts. It doesn't say: nearly always 512 bytes, 4096 on a few disks, and not always
 * those of the device, for disks are moved from one enclosure into another, and images from one disk to another. What lies where
 * the partitions would begin tells which.
 */
import { readOccupant, sniffFilesystem } from '#engine/formats/filesystem'
import { readOrNull, type ReadDisk } from '#engine/formats/struct'
import { extendedTypes, parseEntries, protectiveType } from './mbr.ts'

export const [smallSectors, largeSectors] = [512, 4096] as const

interface Start {
  readonly type: number
  readonly offset: number
  /** As far as it is on the disk. */
  readonly sizeBytes: number
}

/**
 * Of a disk whose first sector has a table; `first` counts where both would do. Null: nothing that is known begins where either
 * has a partition. What can't be read isn't known. Rejects with what the medium throws.
 */
export async function findMbrSectorBytes(
  readDisk: ReadDisk,
  diskBytes: number,
  first: number,
): Promise<number | null> {
  const entries = parseEntries(await readDisk(0, smallSectors), 0) ?? []
  const anyOf = async (sectorBytes: number, isKnown: (start: Start) => Promise<boolean>) => {
    for (const { type, firstLba, sectorCount } of entries) {
      const offset = firstLba * sectorBytes
      const sizeBytes = Math.min(sectorCount * sectorBytes, diskBytes - offset)
      if (type === 0 || type === protectiveType || sizeBytes < smallSectors) continue
      if (await isKnown({ type, offset, sizeBytes })) return true
    }
    return false
  }
  const beginsKnown = async ({ type, ...place }: Start) =>
    extendedTypes.has(type)
      ? await beginsChain(readDisk, place.offset)
      : (await sniffFilesystem(readDisk, place)) !== null
  // Asked last: it takes many reads.
  const isOwned = async ({ type, ...place }: Start) => {
    const occupant = extendedTypes.has(type) ? null : await readOrNull(readOccupant(readDisk, place))
    return occupant !== null && occupant.otherOwner !== null
  }

  const other = first === smallSectors ? largeSectors : smallSectors
  if ((await anyOf(first, beginsKnown)) || (await anyOf(first, isOwned))) return first
  if ((await anyOf(other, beginsKnown)) || (await anyOf(other, isOwned))) return other
  return null
}

/** The boot record of the first logical partition. */
async function beginsChain(readDisk: ReadDisk, offset: number): Promise<boolean> {
  const sector = await readOrNull(readDisk(offset, smallSectors))
  return sector !== null && parseEntries(sector, offset) !== null
}
