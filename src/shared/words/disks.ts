/** Disks, what is on them, and why they are protected, in words. */
import { unreachable } from '#shared/errors'
import type { Bus, Loss, PartitionMapKind, Protection } from '#shared/model'
import { formatBytes } from '#shared/units'
import { enumerate } from './details.ts'

const buses: { readonly [bus in Bus]: string } = {
  usb: 'USB',
  sata: 'SATA',
  nvme: 'NVMe',
  sd: 'SD card',
  scsi: 'SCSI',
  virtio: 'Virtio',
  thunderbolt: 'Thunderbolt',
  loop: 'Disk image',
  file: 'File',
  unknown: 'Unknown',
}

export const describeBus = (bus: Bus): string => buses[bus]

const maps: { readonly [kind in PartitionMapKind]: string } = {
  gpt: 'GUID partition map',
  mbr: 'Master boot record',
  apm: 'Apple partition map',
  none: 'No partition map',
}

export const describePartitionMap = (kind: PartitionMapKind): string => maps[kind]

const filesystems: { readonly [name: string]: string } = {
  apfs: 'APFS',
  hfs: 'HFS',
  hfsplus: 'HFS+',
  'hfs+': 'HFS+',
  hfsx: 'HFSX',
  vfat: 'FAT',
  msdos: 'FAT',
  fat12: 'FAT12',
  fat16: 'FAT16',
  fat32: 'FAT32',
  exfat: 'exFAT',
  ntfs: 'NTFS',
  iso9660: 'ISO 9660',
  udf: 'UDF',
  xfs: 'XFS',
  btrfs: 'Btrfs',
  swap: 'Swap',
  crypto_luks: 'LUKS (encrypted)',
  lvm2_member: 'LVM',
  linux_raid_member: 'RAID',
}

/** The name people know: `hfsplus` → `HFS+`. What isn't known stays as it is. */
export function describeFilesystem(name: string): string {
  const key = name.toLowerCase()
  return Object.hasOwn(filesystems, key) ? (filesystems[key] ?? name) : name
}

/** Nothing is wrong with a copy of which nothing is mounted; null: there is nothing to explain. */
export function describeUnreadable(filesystems: readonly string[] = []): string | null {
  if (filesystems.length === 0) return null
  const hidden = filesystems.length === 1 ? "the volume isn't shown" : "the volumes aren't shown"
  return `${cannotRead(filesystems)}, so ${hidden}. That is normal: the copy is complete.`
}

/** `This computer can't read APFS`, as the beginning of a sentence. */
export const cannotRead = (filesystems: readonly string[]): string =>
  `This computer can't read ${enumerate(filesystems.map(describeFilesystem))}`

/** A volume of an APFS container: `Macintosh HD (System)`. */
export const describeApfsVolume = ({
  name,
  role,
}: {
  readonly name: string
  readonly role: string | null
}): string => (role === null ? name : `${name} (${role})`)

/** Half a sentence: why a disk can't be a destination. */
export function describeProtection(protection: Protection): string {
  switch (protection.kind) {
    case 'system':
      return `runs this computer (${protection.mountPoint})`
    case 'program':
      return 'Reprise runs from it'
    case 'read-only':
      return 'write-protected'
    case 'in-use':
      return `in use by ${protection.by}`
    default:
      return unreachable(protection)
  }
}

/** One line of what will be lost. */
export function describeLoss(loss: Loss): string {
  const size = formatBytes(loss.sizeBytes)
  switch (loss.kind) {
    case 'volume': {
      const facts = [
        loss.filesystem === null ? null : describeFilesystem(loss.filesystem),
        loss.usedBytes === null ? size : `${formatBytes(loss.usedBytes)} used of ${size}`,
        loss.mountPoints.length === 0 ? null : `mounted at ${enumerate(loss.mountPoints)}`,
      ].filter((fact) => fact !== null)
      return `Volume '${loss.name}' on ${loss.path} (${facts.join(', ')})`
    }
    case 'partition-map':
      return `The partition map of ${loss.path}`
    case 'file':
      return `The file ${loss.path} (${size})`
    case 'contents':
      return `Everything on ${loss.path} (${size})`
    default:
      return unreachable(loss.kind)
  }
}
