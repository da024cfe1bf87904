/**
 * Which blkx tables an image of a disk gets: one for each element of its partition map, as hdiutil's convert writes them, or
 * one for all of a disk without a map. Names are what readers show, and what 7-Zip goes by; nothing else depends on them.
 */
import type { ImageInfo, ImagePartition } from '#shared/model'
import { sectorBytes } from '#shared/units'

/** A table to be written. Tables follow one another from sector 0 to the end of the disk. */
export interface PlannedTable {
  readonly name: string
  /** Of the resource. */
  readonly id: number
  /** The mish's blockDescriptor. */
  readonly descriptor: number
  readonly firstSector: number
  /** Null for the last of a disk whose size isn't known: it takes what comes. */
  readonly sectorCount: number | null
}

const wholeDisk = 0xfffffffe
/**
 * A GPT has one block of header, of the disk that it was made for, and, with the 128 entries that everyone writes, 16 KiB of
 * table; at the end again.
 */
const gptTableSectors = 32
/** Apple's tools leave 63 sectors to an Apple map. */
const apmSectors = 63

/** An element of the map, before it is numbered. `end` is exclusive, `name` a function of the number. */
interface Element {
  readonly end: number
  readonly name: (number: number) => string
}

/** Tables of a disk with these contents. What its map says may be anything: overlaps and outlaws get no table of their own. */
export function planTables(
  disk: Pick<ImageInfo, 'partitionMap' | 'mapBlockBytes' | 'partitions' | 'sizeBytes'>,
): PlannedTable[] {
  const sectors = disk.sizeBytes === null ? null : disk.sizeBytes / sectorBytes
  const blockSectors = Math.max(1, (disk.mapBlockBytes ?? sectorBytes) / sectorBytes)
  if (disk.partitionMap === 'none') {
    const kind = appleKind(disk.partitions[0]?.filesystem ?? null) ?? 'unknown partition'
    return [
      {
        name: `whole disk (${kind} : 0)`,
        id: 0,
        descriptor: wholeDisk,
        firstSector: 0,
        sectorCount: sectors,
      },
    ]
  }
  const elements = [
    ...mapElements(disk.partitionMap, { first: firstPartition(disk.partitions), blockSectors }),
    ...partitionElements(disk),
  ]
  const tail = disk.partitionMap === 'gpt' && sectors !== null ? gptTail(sectors, blockSectors) : []
  const tailStart =
    tail.length === 0 ? (sectors ?? Infinity) : (sectors ?? 0) - gptTableSectors - blockSectors

  const tables: PlannedTable[] = []
  let at = 0
  const add = (end: number | null, name: (number: number) => string) => {
    const number = tables.length
    const sectorCount = end === null ? null : end - at
    tables.push({ name: name(number), id: number - 1, descriptor: number, firstSector: at, sectorCount })
    at = end ?? at
  }
  for (const { start, end, name } of elements) {
    if (start < at || end > tailStart || end <= start) continue
    if (start > at) add(start, free)
    add(end, name)
  }
  if (sectors === null) add(null, free)
  else if (tailStart > at) add(tailStart, free)
  for (const { end, name } of tail) if (end > at) add(end, name)
  return tables
}

const free = (number: number) => ` (Apple_Free : ${number})`

function firstPartition(partitions: readonly ImagePartition[]): number {
  return Math.min(...partitions.map(({ offset }) => Math.floor(offset / sectorBytes)), Infinity)
}

function mapElements(
  kind: 'gpt' | 'apm' | 'mbr',
  { first, blockSectors }: { readonly first: number; readonly blockSectors: number },
): (Element & { readonly start: number })[] {
  const element = (start: number, end: number, text: string) => ({
    start,
    end,
    name: (number: number) => `${text} : ${number})`,
  })
  switch (kind) {
    case 'gpt':
      return [
        element(0, blockSectors, 'Protective Master Boot Record (MBR'),
        element(blockSectors, 2 * blockSectors, 'GPT Header (Primary GPT Header'),
        element(
          2 * blockSectors,
          Math.min(2 * blockSectors + gptTableSectors, first),
          'GPT Partition Data (Primary GPT Table',
        ),
      ]
    case 'apm':
      return [
        element(0, 1, 'Driver Descriptor Map (DDM'),
        element(1, Math.min(1 + apmSectors, first), 'Apple (Apple_partition_map'),
      ]
    case 'mbr':
    default:
      return [element(0, 1, 'Master Boot Record (MBR')]
  }
}

function gptTail(sectors: number, blockSectors: number): Element[] {
  return [
    { end: sectors - blockSectors, name: (number) => `GPT Partition Data (Backup GPT Table : ${number})` },
    { end: sectors, name: (number) => `GPT Header (Backup GPT Header : ${number})` },
  ]
}

function partitionElements({
  partitions,
}: Pick<ImageInfo, 'partitions'>): (Element & { readonly start: number })[] {
  return partitions
    .filter(({ offset, sizeBytes }) => offset % sectorBytes === 0 && sizeBytes % sectorBytes === 0)
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, sizeBytes, name, type, filesystem }) => ({
      start: offset / sectorBytes,
      end: (offset + sizeBytes) / sectorBytes,
      name: (number) => `${name ?? ''} (${partitionKind(type, filesystem)} : ${number})`,
    }))
}

/** Names that are known to be Apple's; else the type in words. */
function partitionKind(type: string, filesystem: string | null): string {
  if (type.startsWith('Apple_')) return type
  if (type === 'NTFS or exFAT') return 'Windows_NTFS'
  return appleKind(filesystem) ?? type.replace(/^FAT(12|16|32)$/, 'Windows_FAT_$1')
}

/** Apple's name for a partition with this file system; null where theirs isn't known. */
function appleKind(filesystem: string | null): string | null {
  if (filesystem === 'hfsplus' || filesystem === 'hfs') return 'Apple_HFS'
  return filesystem === 'apfs' ? 'Apple_APFS' : null
}
