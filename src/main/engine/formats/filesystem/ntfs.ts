/** NTFS: boot sector, and the label from file record 3 ($Volume). */
import { cleanLabel, safeBytes, type Sniffer, type Volume } from './volume.ts'

const volumeRecord = 3
const volumeNameAttribute = 0x60

export const sniffNtfs: Sniffer = async (volume) => {
  const { head } = volume
  if (head.toString('latin1', 3, 11) !== 'NTFS    ' || head.readUInt16LE(510) !== 0xaa55) return null
  const sectorBytes = head.readUInt16LE(11)
  if (sectorBytes < 512 || sectorBytes > 4096 || (sectorBytes & (sectorBytes - 1)) !== 0) return null
  return {
    filesystem: 'ntfs',
    version: null,
    label: await label(volume, sectorBytes),
    // The boot sector's copy lies behind the last sector that is counted.
    sizeBytes: safeBytes(head.readBigUInt64LE(40) + 1n, sectorBytes),
  }
}

async function label(volume: Volume, sectorBytes: number): Promise<string | null> {
  const { head } = volume
  // Above 0x80 the counts are powers of two.
  const perCluster = head.readUInt8(13)
  const clusterBytes = sectorBytes * (perCluster > 0x80 ? 2 ** (256 - perCluster) : perCluster)
  const perRecord = head.readInt8(64)
  const recordBytes = perRecord > 0 ? perRecord * clusterBytes : 2 ** -perRecord
  if (recordBytes < 256 || recordBytes > 65_536) return null
  const tableAt = safeBytes(head.readBigUInt64LE(48), clusterBytes)
  const record =
    tableAt === null ? null : await volume.more(tableAt + volumeRecord * recordBytes, recordBytes)
  if (record === null || record.toString('latin1', 0, 4) !== 'FILE') return null
  undoFixups(record)
  for (let at = record.readUInt16LE(20); at + 24 <= record.length;) {
    const type = record.readUInt32LE(at)
    const length = record.readUInt32LE(at + 4)
    if (type > volumeNameAttribute || length < 24 || at + length > record.length) return null
    if (type === volumeNameAttribute) {
      const start = at + record.readUInt16LE(at + 20)
      return cleanLabel(
        record.toString('utf16le', start, Math.min(start + record.readUInt32LE(at + 16), at + length)),
      )
    }
    at += length
  }
  return null
}

/** The last two bytes of every 512 are kept in an array at the front and replaced by a counter. */
function undoFixups(record: Buffer): void {
  const arrayAt = record.readUInt16LE(4)
  const count = record.readUInt16LE(6)
  for (let index = 1; index < count && index * 512 <= record.length; index++) {
    const savedAt = arrayAt + index * 2
    if (savedAt + 2 <= record.length) record.copy(record, index * 512 - 2, savedAt, savedAt + 2)
  }
}
