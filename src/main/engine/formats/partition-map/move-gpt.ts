/**
 * A GPT for a disk that becomes larger or smaller: its backup moves to the new end, and both headers say so (UEFI
 * specification 2.10, §5.3.2). The table at the disk's beginning is never touched and its header is one sector, so that the
 * map is whole whenever the writing stops.
 */
import { crc32 } from 'node:zlib'
import { readOrNull, type ReadDisk } from '#engine/formats/struct'
import {
  gptEntryStruct,
  gptHeaderStruct,
  isSoundHeader,
  maxEntries,
  unusedType,
  type GptHeader,
} from './gpt.ts'
import type { MapChanges, MapToResize, MapWrite } from './map-to-resize.ts'
import { mbrEntryStruct } from './mbr.ts'

interface Gpt {
  readonly sectorBytes: number
  readonly diskBytes: number
  /** The sector of the header at the disk's beginning, and what it says. */
  readonly sector: Uint8Array
  readonly header: GptHeader
  /** All entries. */
  readonly table: Uint8Array
  readonly mbr: Uint8Array
  /** Of a partition, or of the map's own beginning. */
  readonly lastUsedLba: number
}

const protectiveType = 0xee
const mbrEntriesAt = 446

/** Null when the disk has no sound GPT at its beginning. */
export async function readGptToResize(
  readDisk: ReadDisk,
  diskBytes: number,
  sectorBytes: number,
): Promise<MapToResize | null> {
  const gpt = await readOrNull(readPrimary(readDisk, diskBytes, sectorBytes))
  if (gpt === null) return null
  return {
    kind: 'gpt',
    sectorBytes,
    fits: gpt.header.alternateLba === Math.floor(diskBytes / sectorBytes) - 1,
    smallestBytes: (gpt.lastUsedLba + 1 + tableSectors(gpt) + 1) * sectorBytes,
    largestBytes: Infinity,
    isGuess: false,
    changesFor: (sizeBytes) => changesFor(gpt, Math.floor(sizeBytes / sectorBytes) - 1),
  }
}

async function readPrimary(readDisk: ReadDisk, diskBytes: number, sectorBytes: number): Promise<Gpt | null> {
  if (diskBytes < 3 * sectorBytes) return null
  const mbr = await readDisk(0, 512)
  const sector = await readDisk(sectorBytes, sectorBytes)
  const header = gptHeaderStruct.parse(sector, sectorBytes)
  if (header.signature !== 'EFI PART' || !isSoundHeader(header, sector, 1)) return null
  const { partitionEntryLba, numberOfPartitionEntries: count, sizeOfPartitionEntry: entryBytes } = header
  if (count > maxEntries || entryBytes < 128 || entryBytes > 4096 || entryBytes % 8 !== 0) return null
  const table = await readDisk(partitionEntryLba * sectorBytes, count * entryBytes)
  if (crc32(table) !== header.partitionEntryArrayCrc32) return null
  const lastUsedLba = findLastUsedLba(header, table, sectorBytes)
  return { sectorBytes, diskBytes, sector, header, table, mbr, lastUsedLba }
}

const tableSectors = ({ table, sectorBytes }: Gpt) => Math.ceil(table.length / sectorBytes)

/** Throws `FormatError` for an entry with numbers beyond all disks: nothing is done to such a map. */
function findLastUsedLba(header: GptHeader, table: Uint8Array, sectorBytes: number): number {
  const { sizeOfPartitionEntry: entryBytes, firstUsableLba, partitionEntryLba } = header
  // The map's own beginning, whatever it says about that.
  let last = Math.max(firstUsableLba, partitionEntryLba + Math.ceil(table.length / sectorBytes), 2) - 1
  for (let at = 0; at < table.length; at += entryBytes) {
    const entry = gptEntryStruct.parse(table.subarray(at, at + entryBytes), at)
    if (entry.partitionTypeGuid !== unusedType) last = Math.max(last, entry.endingLba)
  }
  return last
}

function changesFor(gpt: Gpt, last: number): MapChanges {
  const { sectorBytes, header, table, diskBytes } = gpt
  const entriesLba = last - tableSectors(gpt)
  const common = { lastUsableLba: entriesLba - 1 }
  const backup = headerSector(gpt, { ...common, myLba: last, alternateLba: 1, partitionEntryLba: entriesLba })
  const primary = headerSector(gpt, { ...common, alternateLba: last })
  const mbr = protectiveFor(gpt, last + 1)
  const entries = Buffer.alloc(tableSectors(gpt) * sectorBytes)
  entries.set(table)
  // Where the backup was, as far as it isn't the new one's place.
  const oldEnd = Math.min(header.alternateLba + 1, Math.floor(diskBytes / sectorBytes))
  const oldStart = Math.max(0, oldEnd - tableSectors(gpt) - 1)
  const clear: MapWrite[] = []
  const clearEnd = oldStart > gpt.lastUsedLba ? Math.min(oldEnd, entriesLba) : 0
  for (let lba = oldStart; lba < clearEnd; lba++)
    clear.push({ offset: lba * sectorBytes, bytes: new Uint8Array(sectorBytes) })
  return {
    prepare: [
      { offset: entriesLba * sectorBytes, bytes: entries },
      { offset: last * sectorBytes, bytes: backup },
    ],
    commit: [{ offset: sectorBytes, bytes: primary }, ...(mbr === null ? [] : [{ offset: 0, bytes: mbr }])],
    clear,
  }
}

/** The header's sector with these fields, and the checksum that belongs to them. */
function headerSector({ header, sector }: Gpt, change: Partial<GptHeader>): Uint8Array {
  const bytes = Uint8Array.from(sector)
  // What a later version adds behind the fields we know stays.
  bytes.set(gptHeaderStruct.encode({ ...header, ...change, headerCrc32: 0 }))
  const view = new DataView(bytes.buffer)
  view.setUint32(gptHeaderStruct.offsetOf('headerCrc32'), crc32(bytes.subarray(0, header.headerSize)), true)
  return bytes
}

/** The first sector with the entry that covers the disk made to cover the new one; null where it has none such. */
function protectiveFor({ mbr, diskBytes, sectorBytes }: Gpt, sectors: number): Uint8Array | null {
  const bytes = Buffer.from(mbr)
  if (bytes[510] !== 0x55 || bytes[511] !== 0xaa) return null
  const entries = Array.from({ length: 4 }, (_, index) => mbrEntriesAt + index * mbrEntryStruct.sizeBytes)
  const used = entries.filter((at) => bytes[at + 4] !== 0)
  for (const at of used) {
    if (bytes[at + 4] !== protectiveType) continue
    const end = bytes.readUInt32LE(at + 8) + bytes.readUInt32LE(at + 12)
    // In a hybrid it may cover only what comes before the first partition.
    const coversAll = used.length === 1 || end === Math.floor(diskBytes / sectorBytes)
    if (!coversAll || bytes.readUInt32LE(at + 8) !== 1) continue
    bytes.writeUInt32LE(Math.min(0xffff_ffff, sectors - 1), at + 12)
    return bytes
  }
  return null
}
