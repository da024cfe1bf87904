/** Master boot record: four entries, and logical partitions in a chain of extended ones. */
import { defineStruct, readOrNull, type ReadDisk } from '#engine/formats/struct'
import { sectorBytes } from '#shared/units'
import type { PartitionEntry } from './map.ts'
import { mbrTypeName } from './mbr-types.ts'

const entriesAt = 446

export const mbrEntryStruct = defineStruct({
  format: 'mbr',
  name: 'entry',
  endian: 'little',
  fields: [
    ['status', 1, 'uint'], // 0x80 active, 0 not
    ['firstChs', 3, 'reserved'],
    ['type', 1, 'uint'], // 0 unused
    ['lastChs', 3, 'reserved'],
    ['firstLba', 4, 'uint'],
    ['sectorCount', 4, 'uint'],
  ],
})

/** Stands for a GPT. */
export const protectiveType = 0xee
export const extendedTypes = new Set([0x05, 0x0f, 0x85])
/** Linux stops counting at 60 or so; what is longer is a trap. */
const maxLogical = 128

export interface MbrEntry {
  readonly status: number
  readonly type: number
  readonly firstLba: number
  readonly sectorCount: number
}

/**
 * The partitions, or null when the first sector has no partition table: no 55 AA, or what stands in the entries' place
 * can't be one, as in a boot sector of a file system. It counts in blocks of its disk; those here are `blockBytes` long.
 */
export async function readMbr(
  readDisk: ReadDisk,
  sizeBytes: number,
  blockBytes: number,
): Promise<PartitionEntry[] | null> {
  const sector = sizeBytes < sectorBytes ? null : await readOrNull(readDisk(0, sectorBytes))
  const entries = sector === null ? null : parseEntries(sector, 0)
  if (entries === null) return null
  const used = entries.filter(isUsed)
  const plausible = entries.every(({ status }) => status === 0 || status === 0x80)
  if (!plausible || used.length === 0 || used.some(({ firstLba }) => firstLba === 0)) return null

  const partitions: PartitionEntry[] = []
  entries.forEach((entry, index) => {
    if (isUsed(entry) && !extendedTypes.has(entry.type))
      partitions.push(partition(entry, index + 1, 0, blockBytes))
  })
  const extended = entries.find((entry) => isUsed(entry) && extendedTypes.has(entry.type))
  if (extended !== undefined)
    partitions.push(...(await readLogical(readDisk, sizeBytes, extended.firstLba, blockBytes)))
  return partitions
}

/**
 * What the first sector says about a GPT: `protective` announces one, `other` has partitions of its own, so that what
 * looks like a GPT is left over from before, `none` says nothing.
 */
export async function readProtection(
  readDisk: ReadDisk,
  sizeBytes: number,
): Promise<'protective' | 'other' | 'none'> {
  const sector = sizeBytes < sectorBytes ? null : await readOrNull(readDisk(0, sectorBytes))
  const used = (sector === null ? null : parseEntries(sector, 0))?.filter(isUsed) ?? []
  if (used.some(({ type }) => type === protectiveType)) return 'protective'
  const plausible = used.every(({ status }) => status === 0 || status === 0x80)
  return used.length > 0 && plausible ? 'other' : 'none'
}

/** Each boot record of the chain has one partition, and the place of the next record, counted from the first. */
async function readLogical(
  readDisk: ReadDisk,
  sizeBytes: number,
  extendedLba: number,
  blockBytes: number,
): Promise<PartitionEntry[]> {
  const partitions: PartitionEntry[] = []
  const seen = new Set<number>()
  for (let lba: number | null = extendedLba; lba !== null && partitions.length < maxLogical;) {
    if (seen.has(lba) || lba * blockBytes + sectorBytes > sizeBytes) break
    seen.add(lba)
    const sector: Uint8Array | null = await readOrNull(readDisk(lba * blockBytes, sectorBytes))
    const entries: MbrEntry[] | null = sector === null ? null : parseEntries(sector, lba * blockBytes)
    if (entries === null) break
    const own = entries.find((entry) => isUsed(entry) && !extendedTypes.has(entry.type))
    const next: MbrEntry | undefined = entries.find((entry) => isUsed(entry) && extendedTypes.has(entry.type))
    // Numbered from 5, whether or not the four primary ones are used.
    if (own !== undefined) partitions.push(partition(own, 5 + partitions.length, lba, blockBytes))
    lba = next === undefined || seen.size >= maxLogical ? null : extendedLba + next.firstLba
  }
  return partitions
}

/** The four of the boot record at `offset`; null without its mark. */
export function parseEntries(sector: Uint8Array, offset: number): MbrEntry[] | null {
  if (sector[510] !== 0x55 || sector[511] !== 0xaa) return null
  return Array.from({ length: 4 }, (_, index) => {
    const at = entriesAt + index * mbrEntryStruct.sizeBytes
    return mbrEntryStruct.parse(sector.subarray(at), offset + at)
  })
}

const isUsed = ({ type, sectorCount }: MbrEntry) => type !== 0 && sectorCount > 0

function partition(entry: MbrEntry, index: number, baseLba: number, blockBytes: number): PartitionEntry {
  return {
    index,
    name: null,
    type: mbrTypeName(entry.type),
    offset: (baseLba + entry.firstLba) * blockBytes,
    sizeBytes: entry.sectorCount * blockBytes,
  }
}
