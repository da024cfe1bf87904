/** Disks and volumes as the platform lists them. Plain data; sizes and offsets in bytes. */

export type Bus =
  | 'usb'
  | 'sata'
  | 'nvme'
  | 'sd'
  | 'scsi'
  | 'virtio'
  | 'thunderbolt'
  | 'loop' // an image attached as a device
  | 'file' // a disk in a plain file (the Practice disk)
  | 'unknown'

export type PartitionMapKind = 'gpt' | 'mbr' | 'apm' | 'none'

/** A partition, or the one file system of a disk without a partition map. */
export interface Volume {
  /** `/dev/sda1`; equals the disk's path where there is no partition map. */
  readonly path: string
  /** 1-based place in the partition map; 0 without one. */
  readonly index: number
  readonly offset: number
  readonly sizeBytes: number
  /** `ext4`, `hfsplus`, `apfs`, `vfat`, …; null when not recognised. */
  readonly filesystem: string | null
  readonly label: string | null
  readonly uuid: string | null
  /** The partition's type in words where known: `EFI System`, `Apple HFS`, `Linux filesystem`. */
  readonly partitionType: string | null
  readonly mountPoints: readonly string[]
  /** Bytes in use as the mounted file system tells; null when not mounted. */
  readonly usedBytes: number | null
  readonly readOnly: boolean
  /** Its file system is mounted, and nobody can write to it; absent where that isn't so or isn't known. */
  readonly mountedReadOnly?: boolean
}

/** What stands on a disk or a partition without being mounted there, and may write to it. */
export interface DeviceUser {
  /** The node of the disk or partition itself. */
  readonly path: string
  /** In words: `LVM (…)`, `an encrypted volume (…)`, `swap`. */
  readonly by: string
}

/** Why a disk can't be a destination. */
export type Protection =
  | { readonly kind: 'system'; readonly mountPoint: string } // holds `/`, `/boot`, swap, … of this computer
  | { readonly kind: 'program'; readonly path: string } // stores what runs here: Reprise, or the Node it runs with
  | { readonly kind: 'read-only' }
  | { readonly kind: 'in-use'; readonly by: string } // RAID, LVM, device-mapper, a pool: not ours to take apart

export interface Disk {
  /** Node to open: `/dev/sda`, `/dev/disk4`, or the path of a disk in a file. */
  readonly path: string
  /**
   * Bus path, serial number and size in one string. Same disk, same string; read again right before the first write.
   */
  readonly identity: string
  /** What a person calls it: model, or the backing file's name. Never empty. */
  readonly name: string
  readonly vendor: string | null
  readonly model: string | null
  readonly serial: string | null
  readonly sizeBytes: number
  readonly logicalBlockBytes: number
  readonly bus: Bus
  readonly removable: boolean
  readonly internal: boolean
  readonly readOnly: boolean
  readonly partitionMap: PartitionMapKind
  /** In order of offset. */
  readonly volumes: readonly Volume[]
  readonly protection: Protection | null
  /** Also of a disk that runs this computer or Reprise, of which `protection` says only that. Absent where there is none. */
  readonly users?: readonly DeviceUser[]
  /** Paths of other nodes that are this same disk, reached another way. Absent where there is none. */
  readonly sameAs?: readonly string[]
  /** The file behind a loop device or a disk in a file. */
  readonly backingFile: string | null
  readonly practice: boolean
  /** A job of ours is using it. */
  readonly busy: boolean
  /** Only by reading, which another may do as well. Absent where no job uses it, and where one writes to it. */
  readonly onlyRead?: true
}
