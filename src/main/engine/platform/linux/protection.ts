/**
 * Why a disk is not for erasing: what of this computer or of this program it carries, and what is built on it. Apart
 * from the list, since whoever is about to take a disk out of use asks the same.
 */
import { cleanText, partitionTypeName } from '#engine/platform/system'
import type { DeviceUser, Protection } from '#shared/model'
import { noContents, type DeviceContents } from './contents.ts'
import { isReadOnly, type Mount } from './mounts.ts'
import { numbersOf, type LinuxSnapshot } from './snapshot.ts'
import type { BlockDevice, PartitionDevice } from './sysfs.ts'

/** Why a disk can't be a destination; the gravest reason. `zfs`: what `unknownZfsOn` says of it. */
export function protectionOf(
  snapshot: LinuxSnapshot,
  device: BlockDevice,
  zfs: readonly DeviceUser[],
): Protection | null {
  const mountPoint = snapshot.systemUses.get(device.kernelName)
  if (mountPoint !== undefined) return { kind: 'system', mountPoint }
  const systemZfs = zfs.length > 0 ? snapshot.unknownZfs?.mountPoint : null
  if (typeof systemZfs === 'string') return { kind: 'system', mountPoint: systemZfs }
  const path = snapshot.programUses.get(device.kernelName)
  if (path !== undefined) return { kind: 'program', path }
  const [by] = [...usersOf(snapshot, device), ...zfs.map((user) => user.by)]
  // Mounted read-only it can be a source, since that is left mounted.
  const isWritten = mountsOf(snapshot, device).some((mount) => !isReadOnly(mount))
  const vanishing = isWritten ? vanishingMount(snapshot, device) : null
  if (by !== undefined) return { kind: 'in-use', by }
  if (vanishing !== null) return { kind: 'in-use', by: vanishing }
  return device.readOnly ? { kind: 'read-only' } : null
}

/**
 * What is built on a disk or its partitions, in words: RAID, LVM, an encrypted volume, a loop device, a file system that
 * is on other disks too.
 */
export function usersOf(snapshot: LinuxSnapshot, device: BlockDevice): readonly string[] {
  const users = partsOf(device).flatMap((part) => usersOn(snapshot, device, part))
  return [...new Set([...users, ...usersElsewhere(snapshot, device)])]
}

/** The disk is in use by another way to it, in words: having this one open exclusively would keep nobody out there. */
export function usersElsewhere(snapshot: LinuxSnapshot, device: BlockDevice): readonly string[] {
  return snapshot
    .twinsOf(device)
    .filter((twin) =>
      partsOf(twin).some(
        (part) =>
          snapshot.mountsOn(part.number).length > 0 ||
          snapshot.swapsOn(part.number).length > 0 ||
          usersOn(snapshot, twin, part).length > 0,
      ),
    )
    .map((twin) => `the same disk as ${twin.path}`)
}

/** Disk and partitions with ZFS on them, where nobody tells which of those ZFS has: any of them may be in use. */
export function unknownZfsOn(
  snapshot: LinuxSnapshot,
  device: BlockDevice,
  contents: ReadonlyMap<string, DeviceContents>,
): readonly DeviceUser[] {
  if (snapshot.unknownZfs === null) return []
  return [device, ...device.partitions].flatMap(({ kernelName, path }) => {
    const { filesystem, partitionType } = contents.get(kernelName) ?? noContents
    const isZfs = filesystem === 'zfs_member' || partitionTypeName(partitionType) === 'ZFS'
    return isZfs ? [{ path, by: 'ZFS' }] : []
  })
}

/** As `usersOf`, by where it stands, and the swap in use. */
export function usersByPath(snapshot: LinuxSnapshot, device: BlockDevice): readonly DeviceUser[] {
  const users = partsOf(device).flatMap((part) => {
    const swap = snapshot.swapsOn(part.number).length > 0 ? ['swap'] : []
    return [...usersOn(snapshot, device, part), ...swap].map((by) => ({ path: part.path, by }))
  })
  const elsewhere = usersElsewhere(snapshot, device)
  return [...users, ...elsewhere.map((by) => ({ path: device.path, by }))]
}

/**
 * What keeps a loop device from being taken out of use, in words: it would be gone with its mount, which couldn't be
 * mounted again either.
 */
export function vanishingMount(snapshot: LinuxSnapshot, device: BlockDevice): string | null {
  if (!device.autoclear || mountsOf(snapshot, device).length === 0) return null
  const file = cleanText(device.backingFile) ?? 'its file'
  return `a mount that it goes away with (unmount that, and use ${file} itself)`
}

const mountsOf = (snapshot: LinuxSnapshot, disk: BlockDevice): readonly Mount[] =>
  numbersOf({ disk, partition: null }).flatMap((number) => snapshot.mountsOn(number))

/**
 * File systems that are mounted from this device and from others that aren't `own`, in words: what is on the others
 * would be lost as well, though nobody named them. A pool of ZFS is known by its name.
 */
export function sharedFilesystems(
  snapshot: LinuxSnapshot,
  number: string,
  own: readonly string[],
): readonly string[] {
  const shared = new Set<string>()
  for (const mount of snapshot.mountsOn(number)) {
    if (mount.filesystem === 'zfs') continue
    const elsewhere = snapshot.devicesOf(mount).find((each) => !own.includes(each))
    const place = elsewhere === undefined ? null : snapshot.at(elsewhere)
    if (place === null) continue
    const isSameDisk = snapshot.at(number)?.disk === place.disk
    const { path } = isSameDisk ? (place.partition ?? place.disk) : place.disk
    shared.add(`a mounted ${mount.filesystem} that is also on ${path}`)
  }
  return [...shared]
}

type Part = Pick<PartitionDevice, 'path' | 'number' | 'holders'>

/** The disk without its partitions, and each of them. */
const partsOf = (device: BlockDevice): readonly Part[] => [device, ...device.partitions]

/** Of a disk without its partitions, or of one of them. */
function usersOn(snapshot: LinuxSnapshot, device: BlockDevice, { number, holders }: Part): readonly string[] {
  const pool = snapshot.zfsPoolOn(number)
  const loops = snapshot.devices.filter(
    (other) =>
      other.backingFile?.startsWith('/dev/') === true &&
      !other.backingFile.startsWith('/dev/shm/') &&
      other.number !== number &&
      snapshot.behind(other).includes(number),
  )
  const own = numbersOf({ disk: device, partition: null })
  return [
    ...(pool === null ? [] : [`ZFS (${pool})`]),
    ...holders.map((holder) => describeHolder(snapshot.named(holder)?.disk, holder)),
    ...loops.map((loop) => loop.path),
    ...sharedFilesystems(snapshot, number, own),
  ]
}

function describeHolder(device: BlockDevice | undefined, kernelName: string): string {
  const name = device?.mapping?.name ?? kernelName
  const uuid = device?.mapping?.uuid ?? ''
  if (kernelName.startsWith('md')) return `RAID (${kernelName})`
  if (kernelName.startsWith('bcache')) return `bcache (${kernelName})`
  if (uuid.startsWith('LVM-')) return `LVM (${name})`
  if (uuid.startsWith('CRYPT-')) return `an encrypted volume (${name})`
  if (uuid.startsWith('mpath-')) return `multipath (${name})`
  return name
}
