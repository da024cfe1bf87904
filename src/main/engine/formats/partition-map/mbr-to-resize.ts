/** How much of its disk an MBR needs. */
import type { ReadDisk } from '#engine/formats/struct'
import type { MapToResize } from './map-to-resize.ts'
import { findMbrSectorBytes, largeSectors, smallSectors } from './mbr-sectors.ts'
import { parseEntries } from './mbr.ts'

/** Of a disk whose first sector has a table. The extended partition counts with all it has room for. */
export async function readMbrToResize(readDisk: ReadDisk, sizeBytes: number): Promise<MapToResize> {
  const entries = parseEntries(await readDisk(0, smallSectors), 0) ?? []
  const ends = entries.map(({ type, firstLba, sectorCount }) => (type === 0 ? 0 : firstLba + sectorCount))
  const sectors = Math.max(1, ...ends)
  const known = await findMbrSectorBytes(readDisk, sizeBytes, smallSectors)
  // Of two readings the one that keeps more, unless the disk hasn't so much.
  const counted = known ?? (sectors * largeSectors <= sizeBytes ? largeSectors : smallSectors)
  return {
    kind: 'mbr',
    sectorBytes: known ?? smallSectors,
    smallestBytes: sectors * counted,
    largestBytes: Infinity,
    fits: true,
    isGuess: known === null && counted === largeSectors,
    changesFor: () => ({ prepare: [], commit: [], clear: [] }),
  }
}
