/** Making an image: what is asked and what came out. Plain data; sizes and offsets in bytes, times in ms. */
import type { SerializedError } from '#shared/errors'
import type { WritableFormat } from './convert.ts'
import type { PartitionMapKind } from './disk.ts'

/** File systems that a blank image can be given, as Linux calls them. Whether this computer can make one, it tells. */
export const creatableFilesystems = [
  'ext4',
  'ext3',
  'ext2',
  'xfs',
  'btrfs',
  'vfat',
  'exfat',
  'ntfs',
  'hfsplus',
] as const
export type CreatableFilesystem = (typeof creatableFilesystems)[number]

/** Partition maps that a blank image can be given. */
export const creatableMaps = ['none', 'gpt', 'mbr'] as const satisfies readonly PartitionMapKind[]
export type CreatableMap = (typeof creatableMaps)[number]

export type CreateSource =
  | {
      readonly kind: 'blank'
      /** Of the disk inside: rounded up to whole sectors of 512. */
      readonly sizeBytes: number
      readonly partitionMap: CreatableMap
      /** Of the one partition, or of the whole disk where there is no map. Null: none is made. */
      readonly filesystem: CreatableFilesystem | null
    }
  | { readonly kind: 'folder'; readonly path: string }
  /** A disk, a partition or where one is mounted. */
  | { readonly kind: 'device'; readonly path: string }

export interface CreateRequest {
  /** Path of the file to write. */
  readonly target: string
  readonly format: WritableFormat
  /** See `compressionLevels`; null for the default. */
  readonly level: number | null
  /** A file that is at `target` may be replaced. */
  readonly erase: boolean
  /** Null: not encrypted. AES-256. */
  readonly encryption: { readonly password: string } | null
  /** Of the file system that is made. Null: a folder's own name, else none. */
  readonly volumeName: string | null
  readonly from: CreateSource
}

/** Why a stretch of a device was read whole though unused blocks could have been left out. */
export type WholeReason =
  | 'unknown' // no file system, or none whose allocation is understood
  | 'unclean' // not unmounted cleanly, or its journal isn't empty
  | 'features' // it uses features of which too little is known
  | 'inconsistent' // what it says of its own blocks contradicts itself

/** One stretch of a device: a partition, or all of it where it has no map. */
export interface ReadPart {
  /** Place in the partition map; 0 where there is none. */
  readonly index: number
  readonly offset: number
  readonly sizeBytes: number
  readonly filesystem: string | null
  readonly label: string | null
  /** What was read of it. */
  readonly usedBytes: number
  /** Null: only used blocks were read. */
  readonly whole: WholeReason | null
  /** Windows keeps earlier states of it, and what only these need wasn't read. */
  readonly hasShadowCopies?: boolean
}

/** Which way was taken. */
export type CreationWay =
  | {
      readonly kind: 'blank'
      readonly partitionMap: CreatableMap
      readonly filesystem: CreatableFilesystem | null
      /** The program that made the file system. */
      readonly tool: string | null
    }
  | {
      readonly kind: 'folder'
      readonly filesystem: string
      readonly tool: string
      /** Files, folders, links and all else in it. */
      readonly entries: number
      /** What the files hold. */
      readonly contentBytes: number
    }
  | { readonly kind: 'device'; readonly partitionMap: PartitionMapKind; readonly parts: readonly ReadPart[] }

export interface ImageCreation {
  readonly target: string
  readonly format: WritableFormat
  /** Of the disk inside. */
  readonly sizeBytes: number
  /** Of the files written; of a raw image its length, holes included. */
  readonly storedBytes: number
  /** Of the disk inside, what was read or made; the rest is holes. */
  readonly usedBytes: number
  readonly way: CreationWay
  readonly durationMs: number
  /** Of the disk inside. */
  readonly bytesPerSecond: number
  /** It is done, and this did not work: a volume couldn't be mounted again, or places where nothing is in use couldn't be read. */
  readonly warnings: readonly SerializedError[]
}
