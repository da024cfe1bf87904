/** Disks and volumes as people see them, made of what the kernel, udev and the media say. */
import { cleanText, isFillerPartition, partitionTypeName, type Machine } from '#engine/platform/system'
import type { Logger } from '#shared/log'
import type { Disk, PartitionMapKind, Volume } from '#shared/model'
import { noContents, readContents, type DeviceContents } from './contents.ts'
import { isReadOnly, showsFilesystem, type Mount } from './mounts.ts'
import { protectionOf, unknownZfsOn, usersByPath } from './protection.ts'
import { readSnapshot, type LinuxSnapshot } from './snapshot.ts'
import { isListed, type BlockDevice, type PartitionDevice } from './sysfs.ts'

/** A drive that sleeps may take longer to wake up; it is listed all the same, and asked properly when it is chosen. */
const listPatienceMs = 1500
const choicePatienceMs = 6000

export interface DiskLister {
  /** All disks, sorted by path as people count: sdb before sdaa, loop2 before loop10. */
  list(signal?: AbortSignal): Promise<readonly Disk[]>
  /** One of them, of which the snapshot was just taken. */
  describe(snapshot: LinuxSnapshot, device: BlockDevice, signal?: AbortSignal): Promise<Disk>
}

export function createDiskLister(system: Machine, log: Logger): DiskLister {
  const silentUntil = new Map<string, number>()
  const now = () => performance.now()
  const contentsOf = (
    devices: readonly BlockDevice[],
    how: { readonly only: string | null; readonly patienceMs: number },
    signal?: AbortSignal,
  ) =>
    readContents(
      system,
      devices.flatMap((device) => [device, ...device.partitions]),
      { ...how, log, silentUntil, now, ...(signal === undefined ? {} : { signal }) },
    )
  return {
    async list(signal) {
      const snapshot = await readSnapshot(system)
      signal?.throwIfAborted()
      const listed = snapshot.devices.filter(isListed)
      const contents = await contentsOf(listed, { only: null, patienceMs: listPatienceMs }, signal)
      const disks = await Promise.all(
        listed.map((device) => describeDisk(system, snapshot, contents, device)),
      )
      return disks.sort((a, b) => comparePaths(a.path, b.path))
    },
    async describe(snapshot, device, signal) {
      for (const { path } of [device, ...device.partitions]) silentUntil.delete(path)
      return describeDisk(
        system,
        snapshot,
        await contentsOf([device], { only: device.path, patienceMs: choicePatienceMs }, signal),
        device,
      )
    },
  }
}

/**
 * The same string for the same attached disk, for the unprivileged and the privileged side alike: where it hangs, its
 * serial number or world-wide name, its size, and the kernel's count of attachments, which tells two cards in one
 * reader, two files on one loop device, and two sticks without a serial number apart.
 */
export async function identityOf(system: Machine, device: BlockDevice): Promise<string> {
  const hangsAt = device.sysPath.replace(/^\/sys\/devices\//, '')
  const names = [device.wwid ?? device.serial ?? 'no-serial', String(device.sizeBytes)]
  if (device.backingFile !== null) {
    names[0] = device.backingFile
    // Without the count of attachments (before Linux 5.15), the file's inode is the next best.
    if (device.sequence === null)
      names.push(
        await system.stat(device.backingFile).then(
          (facts) => `inode ${facts.device} ${facts.inode}`,
          () => 'inode unknown',
        ),
      )
  }
  if (device.sequence !== null) names.push(`attachment ${device.sequence}`)
  return [hangsAt, ...names].map((name) => name.replace(/\s+/g, ' ')).join('|')
}

async function describeDisk(
  system: Machine,
  snapshot: LinuxSnapshot,
  contents: ReadonlyMap<string, DeviceContents>,
  device: BlockDevice,
): Promise<Disk> {
  const own = contents.get(device.kernelName) ?? noContents
  const vendor = cleanText(device.vendor)
  const model = own.model ?? cleanText(device.model)
  const volumes: Volume[] = []
  const mounts = snapshot.mountsOn(device.number)
  const zfs = unknownZfsOn(snapshot, device, contents)
  const users = [...usersByPath(snapshot, device), ...zfs]
  const twins = snapshot.twinsOf(device)
  const hasMap = device.partitions.length > 0 || (own.partitionMap !== null && own.partitionMap !== 'none')
  // The file system of a disk without a map; or a hybrid image's, mounted as a whole beside its partitions.
  if (mounts.length > 0 || (!hasMap && own.filesystem !== null))
    volumes.push(await describeVolume(system, mounts, own, device, { ...device, index: 0, offset: 0 }))
  for (const partition of device.partitions) {
    const inside = contents.get(partition.kernelName) ?? noContents
    if (isFillerPartition(inside.partitionType)) continue
    volumes.push(await describeVolume(system, snapshot.mountsOn(partition.number), inside, device, partition))
  }
  return {
    path: device.path,
    identity: await identityOf(system, device),
    name: nameOf(device, vendor, model),
    vendor,
    model,
    serial: own.serial ?? cleanText(device.serial),
    sizeBytes: device.sizeBytes,
    logicalBlockBytes: device.logicalBlockBytes,
    bus: device.bus,
    removable: device.removable,
    internal: device.internal,
    readOnly: device.readOnly,
    partitionMap: mapKindOf(own, device, contents),
    volumes,
    protection: protectionOf(snapshot, device, zfs),
    ...(users.length === 0 ? {} : { users }),
    ...(twins.length === 0 ? {} : { sameAs: twins.map((twin) => twin.path) }),
    backingFile: device.backingFile,
    practice: false,
    busy: false,
  }
}

async function describeVolume(
  system: Machine,
  mounts: readonly Mount[],
  contents: DeviceContents,
  device: BlockDevice,
  part: Pick<PartitionDevice, 'path' | 'index' | 'offset' | 'sizeBytes' | 'readOnly'>,
): Promise<Volume> {
  // Whole file systems first: those are the places where people look for the volume.
  const ordered = [...mounts.filter(showsFilesystem), ...mounts.filter((mount) => !showsFilesystem(mount))]
  const mountPoints = [...new Set(ordered.map((mount) => mount.mountPoint))]
  // Behind these is a program, which may never answer. `fuseblk` is a file system on a disk, NTFS mostly.
  const asked = ordered.find(({ filesystem }) => !/^fuse(\.|$)/.test(filesystem))
  return {
    path: part.path,
    index: part.index,
    offset: part.offset,
    sizeBytes: part.sizeBytes,
    filesystem: contents.filesystem ?? mounts[0]?.filesystem ?? null,
    label: contents.label,
    uuid: contents.uuid,
    partitionType: partitionTypeName(contents.partitionType) ?? contents.partitionTypeName,
    mountPoints,
    usedBytes: asked === undefined ? null : await system.usedBytes(asked.mountPoint),
    readOnly: part.readOnly || device.readOnly,
    ...(mounts.length > 0 && mounts.every(isReadOnly) ? { mountedReadOnly: true } : {}),
  }
}

function nameOf(device: BlockDevice, vendor: string | null, model: string | null): string {
  if (device.backingFile !== null) {
    const file = cleanText(device.backingFile.slice(device.backingFile.lastIndexOf('/') + 1))
    if (file !== null) return file
  }
  if (model !== null) {
    const told = vendor === null || model.toLowerCase().startsWith(vendor.toLowerCase())
    return told ? model : `${vendor} ${model}`
  }
  const kinds = { usb: 'USB disk', sd: 'SD card', virtio: 'Virtual disk', nvme: 'NVMe disk' } as const
  const kind = device.bus in kinds ? kinds[device.bus as keyof typeof kinds] : 'Disk'
  return `${vendor === null ? kind : `${vendor} ${kind}`} ${device.kernelName}`
}

/** Where nobody may look at the disk itself, its partitions may still give its map away. */
function mapKindOf(
  own: DeviceContents,
  device: BlockDevice,
  contents: ReadonlyMap<string, DeviceContents>,
): PartitionMapKind {
  if (own.partitionMap !== null) return own.partitionMap
  for (const partition of device.partitions) {
    const inside = contents.get(partition.kernelName)
    if (inside?.partitionMap !== undefined && inside.partitionMap !== null) return inside.partitionMap
    const type = inside?.partitionType ?? ''
    if (/^0x/i.test(type)) return 'mbr'
    if (/^[0-9a-f]{8}-/i.test(type)) return 'gpt'
    if (/^apple_/i.test(type)) return 'apm'
  }
  return 'none'
}

/** By length of the letters first, so that sdb comes before sdaa, then as numbers count. */
function comparePaths(a: string, b: string): number {
  const letters = (path: string) => path.replace(/\d.*$/, '')
  const family = (path: string) => letters(path).replace(/^(\/dev\/(?:s|v|xv|h)d)[a-z]+$/, '$1')
  if (family(a) === family(b) && letters(a).length !== letters(b).length)
    return letters(a).length - letters(b).length
  return compareCounting(a, b)
}

/** As letters, and numbers in it by their value. Not by `Intl.Collator`, which takes 10 ms to make for every start. */
function compareCounting(a: string, b: string): number {
  const partsOf = (path: string): readonly string[] => path.match(/\d+|\D+/g) ?? []
  const [ours, theirs] = [partsOf(a), partsOf(b)]
  const index = ours.findIndex((part, at) => part !== theirs[at])
  const [part, other] = [ours[index], theirs[index]]
  if (part === undefined || other === undefined) return ours.length - theirs.length
  return Number(part) - Number(other) || (part < other ? -1 : 1)
}
