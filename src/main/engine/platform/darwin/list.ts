/**
 * Disks and volumes of a Mac. An APFS container, which macOS shows as a disk of its own, counts as the file system of
 * the partition it lies in: that partition is what a restore would overwrite.
 *
 * Not tried on a Mac; tested with recorded outputs.
 */
import { cleanText, isFillerPartition, partitionTypeName, type Machine } from '#engine/platform/system'
import type { Logger } from '#shared/log'
import { DeviceError } from '#shared/errors'
import type { Bus, Disk, PartitionMapKind, Protection, Volume } from '#shared/model'
import {
  count,
  listDisksByDiskutil,
  readAttachedImages,
  readDiskInfo,
  text,
  type ListedDisk,
  type ListedPart,
  type PlistDictionary,
} from './diskutil.ts'

/** One reading of the Mac's disks. */
export interface DarwinSnapshot {
  readonly listed: readonly ListedDisk[]
  /** `/dev/disk4` → image file. */
  readonly images: ReadonlyMap<string, string>
  /** Identifiers of whole disks that the system runs from → one of its mount points. */
  readonly systemUses: ReadonlyMap<string, string>
  /** Those that store the running program → a path of it. */
  readonly programUses: ReadonlyMap<string, string>
}

export async function readDarwinSnapshot(system: Machine, signal?: AbortSignal): Promise<DarwinSnapshot> {
  const [listed, images] = await Promise.all([
    listDisksByDiskutil(system, signal),
    readAttachedImages(system),
  ])
  const systemUses = new Map<string, string>()
  const root = await readDiskInfo(system, '/', signal)
  const stores = Array.isArray(root?.['APFSPhysicalStores']) ? root['APFSPhysicalStores'] : []
  const carriers = [
    text(root?.['ParentWholeDisk']),
    ...stores.map((store: PlistDictionary | string) =>
      typeof store === 'string' ? store : text(store['APFSPhysicalStore']),
    ),
  ]
  for (const carrier of carriers)
    if (carrier !== null) for (const disk of wholeDisksUnder(listed, carrier)) systemUses.set(disk, '/')
  // Whatever diskutil says about `/`: where the system's folders are mounted, it also tells in its list.
  for (const disk of listed)
    for (const part of [...disk.partitions, ...disk.apfsVolumes])
      for (const mountPoint of part.mountPoints)
        if (isSystemFolder(mountPoint))
          for (const whole of wholeDisksUnder(listed, part.identifier))
            if (!systemUses.has(whole)) systemUses.set(whole, mountPoint)
  const programUses = new Map<string, string>()
  const parts = listed.flatMap((disk) => [...disk.partitions, ...disk.apfsVolumes])
  for (const file of system.ownFiles)
    for (const whole of wholeDisksUnder(listed, partStoring(parts, file)?.identifier ?? ''))
      if (!programUses.has(whole)) programUses.set(whole, file)
  return { listed, images, systemUses, programUses }
}

/** The one that is mounted nearest above the file. */
function partStoring(parts: readonly ListedPart[], file: string): ListedPart | undefined {
  const reach = ({ mountPoints }: ListedPart) =>
    Math.max(
      -1,
      ...mountPoints.filter((at) => file.startsWith(at.replace(/\/?$/, '/'))).map((at) => at.length),
    )
  const nearest = Math.max(-1, ...parts.map(reach))
  return nearest < 0 ? undefined : parts.find((part) => reach(part) === nearest)
}

/** All disks, sorted by number. */
export async function listDarwinDisks(
  system: Machine,
  log: Logger,
  signal?: AbortSignal,
): Promise<readonly Disk[]> {
  const snapshot = await readDarwinSnapshot(system, signal)
  const physical = snapshot.listed.filter((disk) => disk.physicalStores.length === 0 && disk.sizeBytes > 0)
  const disks: Disk[] = []
  for (const listed of physical) {
    try {
      const disk = await describeDarwinDisk(system, snapshot, listed, signal)
      if (disk !== null) disks.push(disk)
    } catch (error) {
      DeviceError.accept(error)
      signal?.throwIfAborted()
      log.warn('disk cannot be described', { path: `/dev/${listed.identifier}`, reason: error.message })
    }
  }
  return disks.sort((a, b) => Number(a.path.slice(9)) - Number(b.path.slice(9)))
}

/** Where it hangs, what it calls itself, its size and, for an image, its file. */
export function darwinIdentity(info: PlistDictionary, image: string | null): string {
  const parts = [
    text(info['DeviceTreePath']) ?? 'no-path',
    text(info['IORegistryEntryName']) ?? text(info['MediaName']) ?? 'no-name',
    text(info['DeviceIdentifier']) ?? '',
    String(count(info['TotalSize']) || count(info['Size'])),
    ...(image === null ? [] : [image]),
  ]
  return parts.map((part) => part.replace(/\s+/g, ' ')).join('|')
}

/** `disk4s2` → `disk4`, and through APFS containers down to the disks that store them. */
export function wholeDisksUnder(listed: readonly ListedDisk[], identifier: string): readonly string[] {
  const whole = wholeOf(identifier)
  const entry = listed.find((disk) => disk.identifier === whole)
  if (entry === undefined || entry.physicalStores.length === 0) return [whole]
  return [...new Set(entry.physicalStores.map(wholeOf))]
}

/** `disk3s1s1` → `disk3`. */
export function wholeOf(identifier: string): string {
  return /^disk\d+/.exec(identifier)?.[0] ?? identifier
}

/** The APFS volumes that lie in a partition or a whole disk. */
export function volumesInStore(listed: readonly ListedDisk[], identifier: string): readonly ListedPart[] {
  return listed
    .filter((disk) => disk.physicalStores.includes(identifier))
    .flatMap((container) => container.apfsVolumes)
}

async function describeDarwinDisk(
  system: Machine,
  snapshot: DarwinSnapshot,
  listed: ListedDisk,
  signal: AbortSignal | undefined,
): Promise<Disk | null> {
  const path = `/dev/${listed.identifier}`
  const info = await readDiskInfo(system, path, signal)
  // CDs, and what is made of other disks: RAID sets.
  if (info === null || text(info['OpticalMediaType']) !== null || info['RAIDMaster'] === true) return null
  const image = snapshot.images.get(path) ?? null
  const bus = busOf(info)
  const removable = info['RemovableMedia'] === true
  const readOnly = info['WritableMedia'] === false
  const volumes = await describeVolumes(system, snapshot, listed, info, readOnly, signal)
  const model = cleanText(text(info['MediaName']) ?? text(info['IORegistryEntryName']))
  return {
    path,
    identity: darwinIdentity(info, image),
    name: (image === null ? null : cleanText(image.slice(image.lastIndexOf('/') + 1))) ?? model ?? path,
    vendor: null,
    model,
    serial: null,
    sizeBytes: count(info['TotalSize']) || count(info['Size']) || listed.sizeBytes,
    logicalBlockBytes: count(info['DeviceBlockSize']) || 512,
    bus,
    removable,
    internal: info['Internal'] === true && !removable && bus !== 'loop',
    readOnly,
    partitionMap: mapKind(listed.content),
    volumes,
    protection: protectionOf(snapshot, listed, info, volumes),
    backingFile: image,
    practice: false,
    busy: false,
  }
}

function protectionOf(
  snapshot: DarwinSnapshot,
  listed: ListedDisk,
  info: PlistDictionary,
  volumes: readonly Volume[],
): Protection | null {
  const mountPoint = snapshot.systemUses.get(listed.identifier)
  if (mountPoint !== undefined) return { kind: 'system', mountPoint }
  const path = snapshot.programUses.get(listed.identifier)
  if (path !== undefined) return { kind: 'program', path }
  if (listed.partitions.some((part) => part.content === 'Apple_RAID') || info['RAIDSlice'] === true)
    return { kind: 'in-use', by: 'RAID' }
  if (volumes.some((volume) => volume.partitionType === 'Apple CoreStorage'))
    return { kind: 'in-use', by: 'CoreStorage' }
  const elsewhere = snapshot.listed
    .map((container) => [...new Set(container.physicalStores.map(wholeOf))])
    .find((disks) => disks.length > 1 && disks.includes(listed.identifier))
    ?.find((identifier) => identifier !== listed.identifier)
  // Also unmounted: what is on the other disk is of no use without this one.
  if (elsewhere !== undefined)
    return { kind: 'in-use', by: `an APFS container that is also on /dev/${elsewhere}` }
  return info['WritableMedia'] === false ? { kind: 'read-only' } : null
}

async function describeVolumes(
  system: Machine,
  snapshot: DarwinSnapshot,
  listed: ListedDisk,
  whole: PlistDictionary,
  readOnly: boolean,
  signal: AbortSignal | undefined,
): Promise<readonly Volume[]> {
  const volumes: Volume[] = []
  const filesystem = filesystemName(whole, listed.content)
  if (listed.partitions.length === 0 && (filesystem !== null || listed.mountPoint !== null)) {
    const part: ListedPart = {
      identifier: listed.identifier,
      content: listed.content,
      sizeBytes: listed.sizeBytes,
      name: text(whole['VolumeName']),
      mountPoints: listed.mountPoint === null ? [] : [listed.mountPoint],
      usedBytes: null,
    }
    volumes.push(await describeVolume(system, snapshot, part, whole, { index: 0, readOnly }))
  }
  for (const part of listed.partitions) {
    if (isFillerPartition(part.content)) continue
    const info = (await readDiskInfo(system, `/dev/${part.identifier}`, signal)) ?? {}
    const index = Number(/s(\d+)$/.exec(part.identifier)?.[1] ?? 0)
    volumes.push(await describeVolume(system, snapshot, part, info, { index, readOnly }))
  }
  return volumes.sort((a, b) => a.offset - b.offset)
}

async function describeVolume(
  system: Machine,
  snapshot: DarwinSnapshot,
  part: ListedPart,
  info: PlistDictionary,
  place: { readonly index: number; readonly readOnly: boolean },
): Promise<Volume> {
  const inside = volumesInStore(snapshot.listed, part.identifier)
  const mountPoints = [...part.mountPoints, ...inside.flatMap((volume) => volume.mountPoints)]
  const [first] = mountPoints
  const apfsUsed = inside.reduce((sum, volume) => sum + (volume.usedBytes ?? 0), 0)
  const usedBytes = first === undefined ? null : inside.length > 0 ? apfsUsed : await system.usedBytes(first)
  return {
    path: `/dev/${part.identifier}`,
    index: place.index,
    offset: place.index === 0 ? 0 : count(info['PartitionMapPartitionOffset']),
    sizeBytes: part.sizeBytes || count(info['Size']),
    filesystem: inside.length > 0 ? 'apfs' : filesystemName(info, part.content),
    label: cleanText(part.name ?? inside[0]?.name ?? text(info['VolumeName'])),
    uuid: text(info['VolumeUUID']),
    partitionType: place.index === 0 ? null : typeName(part.content),
    mountPoints,
    usedBytes,
    readOnly: place.readOnly,
    ...(mountPoints.length > 0 && info['WritableVolume'] === false && inside.length === 0
      ? { mountedReadOnly: true }
      : {}),
  }
}

/** The names that the rest of the program uses, which are Linux's. */
export function filesystemName(info: PlistDictionary, content: string): string | null {
  const type = text(info['FilesystemType'])?.toLowerCase()
  if (type === undefined) return content === 'Apple_APFS' ? 'apfs' : null
  if (type === 'hfs') return text(info['FilesystemName']) === 'HFS' ? 'hfs' : 'hfsplus'
  if (type === 'msdos') return 'vfat'
  if (type === 'cd9660') return 'iso9660'
  return type
}

function mapKind(content: string): PartitionMapKind {
  if (content === 'GUID_partition_scheme') return 'gpt'
  if (content === 'FDisk_partition_scheme') return 'mbr'
  return content === 'Apple_partition_scheme' ? 'apm' : 'none'
}

/** diskutil has words for the types it knows, and the map's own number for the others. */
function typeName(content: string): string | null {
  const words: { readonly [content: string]: string } = {
    EFI: 'EFI System',
    'Microsoft Basic Data': 'Microsoft Basic Data',
    Windows_NTFS: 'NTFS or exFAT',
    Windows_FAT_32: 'FAT32',
    Windows_FAT_16: 'FAT16',
    DOS_FAT_32: 'FAT32',
    DOS_FAT_16: 'FAT16',
    DOS_FAT_12: 'FAT12',
    Linux: 'Linux Filesystem',
    Linux_Swap: 'Linux Swap',
    Apple_HFSX: 'Apple HFS',
  }
  return words[content] ?? partitionTypeName(content)
}

function busOf(info: PlistDictionary): Bus {
  const internal = info['Internal'] === true
  switch (text(info['BusProtocol'])) {
    case 'USB':
      return 'usb'
    case 'SATA':
    case 'ATA':
      return 'sata'
    case 'Apple Fabric':
    case 'NVMe':
      return 'nvme'
    case 'PCI':
    case 'PCI-Express':
      return internal ? 'nvme' : 'thunderbolt'
    case 'Thunderbolt':
      return 'thunderbolt'
    case 'Secure Digital':
      return 'sd'
    case 'Disk Image':
      return 'loop'
    case 'SAS':
    case 'SCSI':
    case 'Fibre Channel Interface':
      return 'scsi'
    case 'Virtual Interface':
      return 'virtio'
    default:
      return 'unknown'
  }
}

function isSystemFolder(mountPoint: string): boolean {
  return /^\/$|^\/(System|private|Library|Applications|Users|usr|nix)(\/|$)/.test(mountPoint)
}
