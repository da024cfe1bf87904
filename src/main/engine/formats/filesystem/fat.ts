/** FAT12, FAT16, FAT32 (Microsoft FAT specification, 2005) and exFAT (Microsoft exFAT specification). */
import { cleanLabel, safeBytes, type Sniffer, type Volume } from './volume.ts'

/** As far as a root folder is searched for its label, which is nearly always its first entry. */
const searchBytes = 4096
const entryBytes = 32

const isPowerOfTwo = (value: number) => value > 0 && (value & (value - 1)) === 0

export const sniffFat: Sniffer = async (volume) => {
  const { head } = volume
  const jump = head.readUInt8(0)
  if (head.readUInt16LE(510) !== 0xaa55 || (jump !== 0xe9 && !(jump === 0xeb && head.readUInt8(2) === 0x90)))
    return null
  const sectorBytes = head.readUInt16LE(11)
  const clusterSectors = head.readUInt8(13)
  const reservedSectors = head.readUInt16LE(14)
  const fats = head.readUInt8(16)
  const rootEntries = head.readUInt16LE(17)
  const totalSectors = head.readUInt16LE(19) || head.readUInt32LE(32)
  const media = head.readUInt8(21)
  const isFat32 = head.readUInt16LE(22) === 0
  const fatSectors = isFat32 ? head.readUInt32LE(36) : head.readUInt16LE(22)
  if (!isPowerOfTwo(sectorBytes) || sectorBytes < 512 || sectorBytes > 4096) return null
  if (!isPowerOfTwo(clusterSectors) || reservedSectors === 0 || fats === 0 || fats > 4) return null
  if ((media !== 0xf0 && media < 0xf8) || fatSectors === 0 || isFat32 !== (rootEntries === 0)) return null

  const rootSectors = Math.ceil((rootEntries * entryBytes) / sectorBytes)
  const rootAt = (reservedSectors + fats * fatSectors) * sectorBytes
  const dataSectors = totalSectors - reservedSectors - fats * fatSectors - rootSectors
  if (dataSectors <= 0) return null
  // "This is the one and only way that FAT type is determined": by the count of clusters.
  const clusters = Math.floor(dataSectors / clusterSectors)
  const version = isFat32 ? 'FAT32' : clusters < 4085 ? 'FAT12' : 'FAT16'
  const folderAt = isFat32
    ? rootAt + Math.max(0, head.readUInt32LE(44) - 2) * clusterSectors * sectorBytes
    : rootAt
  const folderBytes = isFat32 ? clusterSectors * sectorBytes : rootEntries * entryBytes
  const bootLabel = cleanLabel(head.toString('latin1', isFat32 ? 71 : 43, isFat32 ? 82 : 54))
  return {
    filesystem: 'vfat',
    version,
    label: (await folderLabel(volume, folderAt, folderBytes)) ?? (bootLabel === 'NO NAME' ? null : bootLabel),
    sizeBytes: totalSectors * sectorBytes,
  }
}

async function folderLabel(volume: Volume, offset: number, folderBytes: number): Promise<string | null> {
  const folder = await volume.more(offset, Math.min(folderBytes, searchBytes))
  if (folder === null) return null
  for (let at = 0; at + entryBytes <= folder.length && folder.readUInt8(at) !== 0; at += entryBytes) {
    const attributes = folder.readUInt8(at + 11)
    // 8 is the volume label; long file names have it among other bits.
    if (folder.readUInt8(at) !== 0xe5 && (attributes & 0x18) === 0x08 && (attributes & 0x0f) !== 0x0f)
      return cleanLabel(folder.toString('latin1', at, at + 11))
  }
  return null
}

export const sniffExfat: Sniffer = async (volume) => {
  const { head } = volume
  if (head.toString('latin1', 3, 11) !== 'EXFAT   ' || head.readUInt16LE(510) !== 0xaa55) return null
  const sectorShift = head.readUInt8(108)
  const clusterShift = head.readUInt8(109)
  if (sectorShift < 9 || sectorShift > 12 || clusterShift > 25 - sectorShift) return null
  const sectorBytes = 2 ** sectorShift
  const clusterBytes = sectorBytes * 2 ** clusterShift
  const rootAt = head.readUInt32LE(88) * sectorBytes + Math.max(0, head.readUInt32LE(96) - 2) * clusterBytes
  return {
    filesystem: 'exfat',
    version: null,
    label: exfatLabel(await volume.more(rootAt, Math.min(clusterBytes, searchBytes))),
    sizeBytes: safeBytes(head.readBigUInt64LE(72), sectorBytes),
  }
}

function exfatLabel(folder: Buffer | null): string | null {
  if (folder === null) return null
  for (let at = 0; at + entryBytes <= folder.length && folder.readUInt8(at) !== 0; at += entryBytes)
    if (folder.readUInt8(at) === 0x83)
      return cleanLabel(
        folder.toString('utf16le', at + 2, at + 2 + 2 * Math.min(11, folder.readUInt8(at + 1))),
      )
  return null
}
