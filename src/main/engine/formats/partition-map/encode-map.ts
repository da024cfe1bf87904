/**
 * A new partition map with one partition over all there is, beginning and ending at whole mebibytes: GUID partition table
 * (UEFI specification 2.10, chapter 5) or master boot record (§5.2.1). For disks with sectors of 512 bytes.
 *
 *   GPT   sector 0 protective MBR · 1 header · 2 … 33 entries · partition from 1 MiB · entries and header again at the end
 *   MBR   sector 0 · partition from 1 MiB
 */
import { randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { sectorBytes } from '#shared/units'
import { gptEntryStruct, gptHeaderStruct } from './gpt.ts'

const alignmentBytes = 1024 * 1024
const entries = 128
const entryBytes = 128
const headerBytes = 92
/** Header and entries. */
const tableSectors = 1 + (entries * entryBytes) / sectorBytes

export interface NewPartition {
  /** GPT's type; MBR's. */
  readonly guid: string
  readonly type: number
  readonly name: string
}

export interface NewMap {
  readonly writes: readonly { readonly offset: number; readonly bytes: Uint8Array }[]
  readonly partition: { readonly offset: number; readonly sizeBytes: number }
}

/** The smallest disk that has room for a map and a partition of one mebibyte. */
export const smallestMapBytes: { readonly gpt: number; readonly mbr: number } = {
  gpt: 2 * alignmentBytes + tableSectors * sectorBytes,
  mbr: 2 * alignmentBytes,
}
/** An MBR counts sectors with 32 bits. */
export const largestMbrBytes = 0xffff_ffff * sectorBytes

/** `sizeBytes`: of the disk, whole sectors, within the bounds above. */
export function encodeNewMap(kind: 'gpt' | 'mbr', sizeBytes: number, partition: NewPartition): NewMap {
  const endBytes = kind === 'gpt' ? sizeBytes - tableSectors * sectorBytes : sizeBytes
  const end = Math.floor(endBytes / alignmentBytes) * alignmentBytes
  const place = { offset: alignmentBytes, sizeBytes: end - alignmentBytes }
  const first = place.offset / sectorBytes
  const count = place.sizeBytes / sectorBytes
  if (kind === 'mbr')
    return { writes: [{ offset: 0, bytes: encodeMbr(partition.type, first, count) }], partition: place }

  const last = sizeBytes / sectorBytes - 1
  const table = Buffer.alloc(entries * entryBytes)
  table.set(
    gptEntryStruct.encode({
      partitionTypeGuid: partition.guid,
      uniquePartitionGuid: randomUUID(),
      startingLba: first,
      endingLba: first + count - 1,
      attributes: new Uint8Array(8),
      partitionName: partition.name.slice(0, 36),
    }),
  )
  const diskGuid = randomUUID()
  const header = (own: number, other: number, tableAt: number) => {
    const sector = Buffer.alloc(sectorBytes)
    sector.set(
      gptHeaderStruct.encode({
        signature: 'EFI PART',
        revision: 0x0001_0000,
        headerSize: headerBytes,
        myLba: own,
        alternateLba: other,
        firstUsableLba: 1 + tableSectors,
        lastUsableLba: last - tableSectors,
        diskGuid,
        partitionEntryLba: tableAt,
        numberOfPartitionEntries: entries,
        sizeOfPartitionEntry: entryBytes,
        partitionEntryArrayCrc32: crc32(table),
      }),
    )
    sector.writeUInt32LE(crc32(sector.subarray(0, headerBytes)), gptHeaderStruct.offsetOf('headerCrc32'))
    return sector
  }
  const protective = encodeMbr(0xee, 1, Math.min(last, 0xffff_ffff))
  return {
    writes: [
      { offset: 0, bytes: Buffer.concat([protective, header(1, last, 2), table]) },
      {
        offset: (last + 1 - tableSectors) * sectorBytes,
        bytes: Buffer.concat([table, header(last, 1, last + 1 - tableSectors)]),
      },
    ],
    partition: place,
  }
}

/** One record. Cylinders, heads and sectors are as far as they go: nobody has counted by them for thirty years. */
function encodeMbr(type: number, first: number, count: number): Buffer {
  const sector = Buffer.alloc(sectorBytes)
  const isProtective = type === 0xee
  // A signature of the disk, by which Windows tells it from others.
  if (!isProtective) sector.write(randomUUID().slice(0, 8), 440, 'hex')
  sector.writeUIntBE(isProtective ? 0x000200 : 0xfeffff, 447, 3)
  sector.writeUInt8(type, 450)
  sector.writeUIntBE(isProtective ? 0xffffff : 0xfeffff, 451, 3)
  sector.writeUInt32LE(first, 454)
  sector.writeUInt32LE(count, 458)
  sector.writeUInt16BE(0x55aa, 510)
  return sector
}
