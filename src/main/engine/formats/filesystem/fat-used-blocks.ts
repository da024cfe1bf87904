/**
 * Used clusters of FAT12, FAT16 and FAT32 (Microsoft FAT specification, 2005), from the file allocation table: an entry of
 * zero is a free cluster. Both copies of the table must agree, and the volume must have been unmounted: FAT16 and FAT32
 * have a bit for that in the second entry, Linux and Windows one in the boot sector.
 */
import { BadStretches } from './bad-stretches.ts'
import { consistent, NotCertain, type UsedBlocksReader } from './used-blocks.ts'
import { UsedRanges } from './used-ranges.ts'

/** Of a table at once; whole entries of every width. */
const pieceBytes = 3 * 65_536

export const readFatUsedBlocks: UsedBlocksReader = async (volume) => {
  const boot = await volume.read(0, 512)
  const sectorBytes = boot.readUInt16LE(11)
  const clusterSectors = boot.readUInt8(13)
  const reservedSectors = boot.readUInt16LE(14)
  const tables = boot.readUInt8(16)
  const rootEntries = boot.readUInt16LE(17)
  const totalSectors = boot.readUInt16LE(19) || boot.readUInt32LE(32)
  const isFat32 = boot.readUInt16LE(22) === 0
  const tableSectors = isFat32 ? boot.readUInt32LE(36) : boot.readUInt16LE(22)
  consistent([512, 1024, 2048, 4096].includes(sectorBytes) && clusterSectors > 0, 'sector or cluster size')
  consistent(totalSectors * sectorBytes <= volume.sizeBytes, 'number of sectors')
  const firstDataSector =
    reservedSectors + tables * tableSectors + Math.ceil((rootEntries * 32) / sectorBytes)
  const clusters = Math.floor((totalSectors - firstDataSector) / clusterSectors)
  const width = isFat32 ? 32 : clusters < 4085 ? 12 : 16
  consistent(clusters > 0 && clusters <= (isFat32 ? 0x0fff_fff5 : 65_525), 'number of clusters')
  const tableBytes = tableSectors * sectorBytes
  consistent(tableBytes * 8 >= (clusters + 2) * width, 'size of the table')
  consistent(tables === 1 || tables === 2, 'number of tables')
  // Extended flags: a table that isn't mirrored. Version: none but 0 was ever defined.
  if (isFat32 && ((boot.readUInt16LE(40) & 0x80) !== 0 || boot.readUInt16LE(42) !== 0))
    throw new NotCertain('features', 'tables that are not mirrored')
  // The byte that DOS called reserved: bit 0 while it is mounted, bit 1 after an error.
  if ((boot.readUInt8(isFat32 ? 65 : 37) & 3) !== 0)
    throw new NotCertain('unclean', 'marked in the boot sector')

  const ranges = new UsedRanges()
  const bad = new BadStretches()
  ranges.add(0, firstDataSector * sectorBytes)
  const clusterBytes = clusterSectors * sectorBytes
  const at = (cluster: number) => firstDataSector * sectorBytes + (cluster - 2) * clusterBytes
  const neededBytes = Math.ceil(((clusters + 2) * width) / 8)
  for (let done = 0; done < neededBytes; done += pieceBytes) {
    const lengthBytes = Math.min(pieceBytes, tableBytes - done)
    const start = reservedSectors * sectorBytes + done
    const piece = await volume.read(start, lengthBytes)
    if (tables === 2)
      consistent(piece.equals(await volume.read(start + tableBytes, lengthBytes)), 'the tables differ')
    if (done === 0) refuseUnclean(piece, width)
    const first = (done * 8) / width
    const end = Math.min(clusters + 2, first + Math.floor((lengthBytes * 8) / width))
    for (let cluster = Math.max(2, first); cluster < end; cluster++) {
      const entry = entryAt(piece, cluster - first, width)
      if (isBad(entry, width)) bad.add(at(cluster), at(cluster + 1))
      else if (entry !== 0) ranges.add(at(cluster), at(cluster + 1))
    }
  }
  ranges.add(at(clusters + 2), volume.sizeBytes)
  return { ranges, bad }
}

type Width = 12 | 16 | 32

function entryAt(table: Buffer, index: number, width: Width): number {
  if (width === 32) return table.readUInt32LE(index * 4) & 0x0fff_ffff
  if (width === 16) return table.readUInt16LE(index * 2)
  const pair = table.readUInt16LE(Math.floor(index * 1.5))
  return index % 2 === 0 ? pair & 0xfff : pair >>> 4
}

/** A cluster that was found to be bad holds nothing, and trying to read it would end the whole undertaking. */
function isBad(entry: number, width: Width): boolean {
  return entry === (width === 32 ? 0x0fff_fff7 : width === 16 ? 0xfff7 : 0xff7)
}

/** Entry 1: the highest bit is set when the volume was unmounted, the next one when no disk error was seen. FAT12 has none. */
function refuseUnclean(table: Buffer, width: Width): void {
  const bits = width === 32 ? 0x0c00_0000 : width === 16 ? 0xc000 : 0
  const entry = width === 32 ? table.readUInt32LE(4) : table.readUInt16LE(2)
  if ((entry & bits) !== bits) throw new NotCertain('unclean', 'marked in the table')
}
