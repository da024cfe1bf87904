/**
 * How much of its disk an MBR needs. It counts sectors and doesn't say how large these are: 512 bytes nearly always, 4096
 * on a few disks. What lies where the partitions would begin tells which.
 */
import { readOccupant } from '#engine/formats/filesystem'
import type { ReadDisk } from '#engine/formats/struct'
import type { MapToResize } from './map-to-resize.ts'
import { extendedTypes, parseEntries, type MbrEntry } from './mbr.ts'

const [small, large] = [512, 4096] as const

/** Of a disk whose first sector has a table. The extended partition counts with all it has room for. */
export async function readMbrToResize(readDisk: ReadDisk, sizeBytes: number): Promise<MapToResize> {
  const entries = (parseEntries(await readDisk(0, small), 0) ?? []).filter(({ type }) => type !== 0)
  const sectors = Math.max(1, ...entries.map(({ firstLba, sectorCount }) => firstLba + sectorCount))
  const known = await findSectorBytes(readDisk, entries, sizeBytes)
  // Of two readings the one that keeps more, unless the disk hasn't so much.
  const counted = known ?? (sectors * large <= sizeBytes ? large : small)
  return {
    kind: 'mbr',
    sectorBytes: known ?? small,
    smallestBytes: sectors * counted,
    largestBytes: Infinity,
    fits: true,
    isGuess: known === null && counted === large,
    changesFor: () => ({ prepare: [], commit: [], clear: [] }),
  }
}

/** Null: nothing that is known begins where either size has a partition. */
async function findSectorBytes(
  readDisk: ReadDisk,
  entries: readonly MbrEntry[],
  sizeBytes: number,
): Promise<number | null> {
  for (const sectorBytes of [small, large])
    for (const { type, firstLba, sectorCount } of entries) {
      const offset = firstLba * sectorBytes
      const there = Math.min(sectorCount * sectorBytes, sizeBytes - offset)
      if (there < small) continue
      if (extendedTypes.has(type)) {
        // The chain of the logical ones begins there.
        if (parseEntries(await readDisk(offset, small), offset) !== null) return sectorBytes
        continue
      }
      const { filesystem, otherOwner } = await readOccupant(readDisk, { offset, sizeBytes: there })
      if (filesystem !== null || otherOwner !== null) return sectorBytes
    }
  return null
}
