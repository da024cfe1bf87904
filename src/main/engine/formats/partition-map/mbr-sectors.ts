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
  /** As the table has it, by the other size, where the disk ends before; null: it is all there, or it is asked by the first size. */
  readonly cutBytes: number | null
}

/**
 * Of a disk whose first sector has a table; `first` counts where both would do. The other size has to explain the table better: something
 * that is known begins at one of its partitions and, unless by `first` one ends behind the disk's end and by the other none does, at none by
 * `first`. The larger size also needs places that only it has at whole mebibytes, where partitions are begun, or the place where they once
 * were, for what lies at eight times a place may be left over from before; an image that was cut short may end before them. Null: nothing
 * that is known begins where either has a partition. What can't be read isn't known. Rejects with what the medium throws.
 */
export async function findMbrSectorBytes(
  readDisk: ReadDisk,
  diskBytes: number,
  first: number,
): Promise<number | null> {
  const other = first === smallSectors ? largeSectors : smallSectors
  const entries = parseEntries(await readDisk(0, smallSectors), 0) ?? []
  const anyOf = async (sectorBytes: number, isKnown: (start: Start) => Promise<boolean>) => {
    for (const { type, firstLba, sectorCount } of entries) {
      const offset = firstLba * sectorBytes
      const statedBytes = sectorCount * sectorBytes
      const sizeBytes = Math.min(statedBytes, diskBytes - offset)
      const cutBytes = sectorBytes === other && sizeBytes < statedBytes ? statedBytes : null
      if (type === 0 || type === protectiveType || sizeBytes < smallSectors) continue
      if (await isKnown({ type, offset, sizeBytes, cutBytes })) return true
    }
    return false
  }
  const beginsKnown = async ({ type, cutBytes, ...place }: Start) => {
    if (extendedTypes.has(type)) return await beginsChain(readDisk, place.offset)
    const found = await sniffFilesystem(readDisk, place)
    if (found === null || cutBytes === null) return found !== null
    // Nothing that is only left over is larger than the place is by the first size.
    return (
      found.sizeBytes !== null &&
      found.sizeBytes > (cutBytes / largeSectors) * smallSectors &&
      found.sizeBytes <= cutBytes
    )
  }
  // Asked last: it takes many reads. Marks at the end are those of another where the end is missing.
  const isOwned = async ({ type, cutBytes, ...place }: Start) => {
    if (extendedTypes.has(type) || cutBytes !== null) return false
    const occupant = await readOrNull(readOccupant(readDisk, place))
    return occupant !== null && occupant.otherOwner !== null
  }

  const knows = async (sectorBytes: number) =>
    (await anyOf(sectorBytes, beginsKnown)) || (await anyOf(sectorBytes, isOwned))
  const listed = entries.filter(
    ({ type, sectorCount }) => type !== 0 && type !== protectiveType && sectorCount > 0,
  )
  const fits = (sectorBytes: number) =>
    listed.every(({ firstLba, sectorCount }) => (firstLba + sectorCount) * sectorBytes <= diskBytes)
  const isAligned = (sectorBytes: number) =>
    listed.every(({ firstLba }) => (firstLba * sectorBytes) % alignedBytes === 0)

  const isOld = listed.some(({ firstLba }) => firstLba === oldFirstSector)

  const isPossible = other === smallSectors ? fits(other) : !isAligned(first) && (isAligned(other) || isOld)
  if (isPossible && fits(other) && !fits(first) && (await knows(other))) return other
  if (await knows(first)) return first
  return isPossible && (await knows(other)) ? other : null
}

/** Where the programs that make partitions let them begin. */
const alignedBytes = 2 ** 20
/** Where the first one began by tracks of 63 sectors, whatever their size: DOS, Windows to XP, iPods. */
const oldFirstSector = 63

/** The boot record of the first logical partition. */
async function beginsChain(readDisk: ReadDisk, offset: number): Promise<boolean> {
  const sector = await readOrNull(readDisk(offset, smallSectors))
  return sector !== null && parseEntries(sector, offset) !== null
}
