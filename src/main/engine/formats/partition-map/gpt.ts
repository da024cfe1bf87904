/** GUID partition table (UEFI specification 2.10, chapter 5). The backup at the disk's end counts when the first is bad. */
import { crc32 } from 'node:zlib'
import {
  defineStruct,
  parsedOrNull,
  readOrNull,
  type ReadDisk,
  type StructValue,
} from '#engine/formats/struct'
import { gptTypeName } from './gpt-types.ts'
import type { PartitionEntry } from './map.ts'
import { readProtection } from './mbr.ts'

const headerFields = [
  ['signature', 8, 'ascii'], // 'EFI PART'
  ['revision', 4, 'uint'],
  ['headerSize', 4, 'uint'],
  ['headerCrc32', 4, 'uint'], // of headerSize bytes, itself as zeros
  ['reserved', 4, 'reserved'],
  ['myLba', 8, 'uint'],
  ['alternateLba', 8, 'uint'],
  ['firstUsableLba', 8, 'uint'],
  ['lastUsableLba', 8, 'uint'],
  ['diskGuid', 16, 'guid'],
  ['partitionEntryLba', 8, 'uint'],
  ['numberOfPartitionEntries', 4, 'uint'],
  ['sizeOfPartitionEntry', 4, 'uint'],
  ['partitionEntryArrayCrc32', 4, 'uint'],
] as const
export type GptHeader = StructValue<typeof headerFields>
export const gptHeaderStruct = defineStruct({
  format: 'gpt',
  name: 'header',
  endian: 'little',
  fields: headerFields,
})

export const gptEntryStruct = defineStruct({
  format: 'gpt',
  name: 'entry',
  endian: 'little',
  fields: [
    ['partitionTypeGuid', 16, 'guid'],
    ['uniquePartitionGuid', 16, 'guid'],
    ['startingLba', 8, 'uint'],
    ['endingLba', 8, 'uint'],
    ['attributes', 8, 'bytes'],
    ['partitionName', 72, 'utf16'],
  ],
})

export const unusedType = '00000000-0000-0000-0000-000000000000'
/** Disks have 128; a table of more than this is no table. */
export const maxEntries = 1024
const maxEntryBytes = 4096

/**
 * The partitions, or null when the disk has no sound GPT. `sectorBytes`: of the disk the image was made of. The backup
 * is only looked at where the MBR announces a GPT: otherwise it may be left over from another life of the disk.
 */
export async function readGpt(
  readDisk: ReadDisk,
  sizeBytes: number,
  sectorBytes: number,
): Promise<PartitionEntry[] | null> {
  const lastLba = Math.floor(sizeBytes / sectorBytes) - 1
  const protection = await readProtection(readDisk, sizeBytes)
  if (protection === 'other') return null
  for (const lba of protection === 'protective' ? [1, lastLba] : [1]) {
    if (lba < 1 || lba > lastLba) continue
    // A copy that can't be read or contradicts itself is as good as none: there is another.
    const partitions = await readOrNull(readTable(readDisk, lba, sectorBytes, lastLba))
    if (partitions !== null) return partitions
  }
  return null
}

async function readTable(
  readDisk: ReadDisk,
  lba: number,
  sectorBytes: number,
  lastLba: number,
): Promise<PartitionEntry[] | null> {
  const sector = await readDisk(lba * sectorBytes, sectorBytes)
  if (Buffer.from(sector.subarray(0, 8)).toString('latin1') !== 'EFI PART') return null
  const header = gptHeaderStruct.parse(sector, lba * sectorBytes)
  if (!isSoundHeader(header, sector, lba)) return null
  const { partitionEntryLba, numberOfPartitionEntries: count, sizeOfPartitionEntry: entryBytes } = header
  if (count > maxEntries || entryBytes < 128 || entryBytes > maxEntryBytes || entryBytes % 8 !== 0)
    return null
  if (partitionEntryLba > lastLba) return null
  const table = await readDisk(partitionEntryLba * sectorBytes, count * entryBytes)
  if (crc32(table) !== header.partitionEntryArrayCrc32) return null

  const partitions: PartitionEntry[] = []
  for (let index = 0; index < count; index++) {
    const at = index * entryBytes
    // An entry with numbers beyond all disks is skipped; the others still count.
    const entry = parsedOrNull(() =>
      gptEntryStruct.parse(table.subarray(at, at + entryBytes), partitionEntryLba * sectorBytes + at),
    )
    if (entry === null || entry.partitionTypeGuid === unusedType) continue
    const { startingLba, endingLba, partitionName, partitionTypeGuid } = entry
    if (endingLba < startingLba || (endingLba + 1) * sectorBytes > Number.MAX_SAFE_INTEGER) continue
    partitions.push({
      index: index + 1,
      name: partitionName === '' ? null : partitionName,
      type: gptTypeName(partitionTypeGuid),
      offset: startingLba * sectorBytes,
      sizeBytes: (endingLba - startingLba + 1) * sectorBytes,
    })
  }
  return partitions
}

/** Whether the header in `sector` is what its checksum was made of, and lies where it says. */
export function isSoundHeader(header: GptHeader, sector: Uint8Array, lba: number): boolean {
  const { headerSize, headerCrc32, myLba } = header
  if (headerSize < gptHeaderStruct.sizeBytes || headerSize > sector.length || myLba !== lba) return false
  const bytes = sector.slice(0, headerSize)
  bytes.fill(0, gptHeaderStruct.offsetOf('headerCrc32'), gptHeaderStruct.offsetOf('headerCrc32') + 4)
  return crc32(bytes) === headerCrc32
}
