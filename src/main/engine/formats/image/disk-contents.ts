/** What is on the disk inside an image: its partition map, and the file system of each partition. */
import { cutShort, type LeastSize } from '#engine/formats/extents'
import { ApfsReader, sniffFilesystem, type FoundFilesystem } from '#engine/formats/filesystem'
import { readPartitionMap } from '#engine/formats/partition-map'
import type { ReadDisk } from '#engine/formats/struct'
import type { ImageInfo, ImagePartition, PartitionMapKind } from '#shared/model'

export interface DiskContents {
  readonly partitionMap: PartitionMapKind
  /** Of the disk that the map was made for. */
  readonly mapBlockBytes: number
  /** A disk without a map whose file system is known has one, with index 0. */
  readonly partitions: readonly ImagePartition[]
  /** The file system that begins with the disk; hybrid discs have one although they have a map. */
  readonly whole: FoundFilesystem | null
  /** How large the disk has to be: its map or its file system says so. Null: nothing does. */
  readonly least: LeastSize | null
}

/**
 * Look at a disk of `sizeBytes`, null when that isn't known. What is damaged is left out; rejects only with what the
 * medium throws, and the signal's reason. `deviceBlockBytes`: of the device that it is.
 */
export async function readDiskContents(
  readDisk: ReadDisk,
  sizeBytes: number | null,
  signal?: AbortSignal,
  deviceBlockBytes?: number,
): Promise<DiskContents> {
  const limit = sizeBytes ?? Number.MAX_SAFE_INTEGER
  const apfs = new ApfsReader(readDisk, signal)
  const map = await readPartitionMap(readDisk, limit, deviceBlockBytes)
  const whole = await sniffFilesystem(readDisk, { offset: 0, sizeBytes: limit })
  // Discs pad, or don't, as they like; and the maps of hybrid ones round up.
  const isDisc = whole?.filesystem === 'iso9660'
  if (map.kind === 'none') {
    const volumes = await apfsVolumes(apfs, whole, { offset: 0, sizeBytes: limit })
    const partitions = wholeDisk(whole, sizeBytes).map((partition) => ({ ...partition, ...volumes }))
    const least =
      isDisc || whole === null || whole.sizeBytes === null
        ? null
        : { sizeBytes: whole.sizeBytes, field: `${whole.filesystem} size` }
    return { partitionMap: 'none', mapBlockBytes: map.blockBytes, partitions, whole, least }
  }
  const partitions: ImagePartition[] = []
  let least: LeastSize | null = null
  for (const entry of map.partitions) {
    const room = Math.min(entry.sizeBytes, limit - entry.offset)
    const found = room > 0 ? await sniffFilesystem(readDisk, { offset: entry.offset, sizeBytes: room }) : null
    const volumes = await apfsVolumes(apfs, found, { offset: entry.offset, sizeBytes: room })
    partitions.push({
      ...entry,
      filesystem: found?.filesystem ?? null,
      label: found?.label ?? null,
      ...volumes,
    })
    // A file system that says where it ends needn't fill its partition: images of routers end there. Where nothing says,
    // all of the partition has to be there.
    const end = entry.offset + Math.min(entry.sizeBytes, found?.sizeBytes ?? Infinity)
    if (!isDisc && entry.type !== 'GPT protective' && end > (least?.sizeBytes ?? 0))
      least = { sizeBytes: end, field: `size for ${map.kind} partition ${entry.index}` }
  }
  return { partitionMap: map.kind, mapBlockBytes: map.blockBytes, partitions, whole, least }
}

/** What an image says of itself by what is on its disk. */
export function contentsInfo({
  partitionMap,
  mapBlockBytes,
  partitions,
  whole,
}: DiskContents): Pick<ImageInfo, 'partitionMap' | 'mapBlockBytes' | 'partitions' | 'hybrid'> {
  const isHybrid = partitionMap !== 'none' && whole !== null
  return { partitionMap, mapBlockBytes, partitions, ...(isHybrid ? { hybrid: whole.filesystem } : {}) }
}

/** The volumes inside, where it is a container. */
async function apfsVolumes(
  apfs: ApfsReader,
  found: FoundFilesystem | null,
  place: { readonly offset: number; readonly sizeBytes: number },
): Promise<Pick<ImagePartition, 'volumes'>> {
  return found?.filesystem === 'apfs' ? { volumes: await apfs.volumes(place) } : {}
}

function wholeDisk(found: FoundFilesystem | null, diskBytes: number | null): ImagePartition[] {
  const sizeBytes = diskBytes ?? found?.sizeBytes ?? null
  if (found === null || sizeBytes === null) return []
  const { filesystem, label } = found
  return [{ index: 0, name: null, type: 'whole disk', offset: 0, sizeBytes, filesystem, label }]
}

/** Whether anything speaks for these being the contents of a disk; `head`: its first sector or more. */
export function isDisk(
  { partitionMap, whole }: Pick<DiskContents, 'partitionMap' | 'whole'>,
  head: Uint8Array,
): boolean {
  return partitionMap !== 'none' || whole !== null || isBootSector(head)
}

const isBootSector = (head: Uint8Array) => head[510] === 0x55 && head[511] === 0xaa

/**
 * Any file is as good a raw disk as any other: something must speak for it. `isKnown`: its contents are a disk's; else its name
 * tells, or that it begins blank, as images do that New Image makes.
 */
export function passesAsRaw({
  isKnown,
  name,
  head,
  isWhole,
}: {
  readonly isKnown: boolean
  readonly name: string
  readonly head: Uint8Array
  readonly isWhole: boolean
}): boolean {
  return isKnown || (isWhole && (isNamedRaw(name) || head.every((byte) => byte === 0)))
}

/** Whether a file's name says that it is a raw disk. */
export function isNamedRaw(path: string): boolean {
  return /\.(img|raw|iso|bin|dd)$/i.test(path)
}

/**
 * Throws `FormatError` E_SRC_CORRUPT when the disk should be larger than its `sizeBytes`. A raw image has no other sign of
 * having been cut short, by a broken download for one.
 */
export function checkNotCutShort({ least }: Pick<DiskContents, 'least'>, sizeBytes: number): void {
  if (least !== null && least.sizeBytes > sizeBytes) throw cutShort('raw', least, sizeBytes)
}

/** What an image says of itself that has no tables, checksums or segments: everything but UDIF. */
export const noTables = {
  segmentCount: 1,
  tables: [],
  runCounts: {},
  dataForkChecksum: null,
  masterChecksum: null,
  inOrder: null,
  scan: null,
} as const satisfies Partial<ImageInfo>
