/** What `image info` and the info footer tell of an image. Plain data; sizes and offsets in bytes. */
import type { PartitionMapKind } from './disk.ts'
import type { ScanInfo } from './scan.ts'

export type ImageFormat =
  | 'UDRW'
  | 'UDRO'
  | 'UDCO'
  | 'UDZO'
  | 'UDBZ'
  | 'ULFO'
  | 'ULMO'
  | 'UDxx' // UDIF with more than one way of compression
  | 'UDSP' // sparse image
  | 'UDSB' // sparse bundle, a folder
  | 'raw'
  | 'raw.gz'
  | 'raw.bz2'
  | 'raw.xz'
  | 'raw.zst'

export const runKinds = ['zero', 'raw', 'ignore', 'adc', 'zlib', 'bzip2', 'lzfse', 'lzma'] as const
export type RunKind = (typeof runKinds)[number]

export interface ImagePartition {
  readonly index: number
  /** The map's own name for it (`disk image`, `EFI System Partition`), or null. */
  readonly name: string | null
  /** `Apple_HFS`, a GPT type in words, … */
  readonly type: string
  readonly offset: number
  readonly sizeBytes: number
  readonly filesystem: string | null
  readonly label: string | null
  /** Of an APFS container; absent elsewhere. */
  readonly volumes?: readonly { readonly name: string; readonly uuid: string; readonly role: string | null }[]
}

/** What an APFS volume in an image is for: `System`, `Data`, …; null: nothing special, or it isn't there. */
export const apfsRole = (
  { partitions }: { readonly partitions: readonly Pick<ImagePartition, 'volumes'>[] },
  uuid: string,
): string | null =>
  partitions
    .flatMap(({ volumes = [] }) => volumes)
    .find((volume) => volume.uuid.toUpperCase() === uuid.toUpperCase())?.role ?? null

export interface ImageChecksum {
  readonly algorithm: string
  /** Lower-case hex. */
  readonly value: string
}

/** A blkx of a UDIF image. */
export interface ImageTable {
  readonly name: string
  /** Of its resource. */
  readonly id: number
  readonly firstSector: number
  readonly sectorCount: number
  readonly runCount: number
  readonly checksum: ImageChecksum | null
}

export interface ImageInfo {
  readonly path: string
  readonly name: string
  readonly format: ImageFormat
  /** All files of the image together. */
  readonly storedBytes: number
  /** Size of the disk inside; null when only reading it all would tell (gzip, bzip2, some zstd). */
  readonly sizeBytes: number | null
  readonly modifiedMs: number
  /** It was unlocked; null: it isn't encrypted. */
  readonly encrypted: { readonly bits: 128 | 256; readonly version: 1 | 2 } | null
  readonly segmentCount: number
  readonly partitionMap: PartitionMapKind
  /** Of the disk that the map was made for; absent: 512. */
  readonly mapBlockBytes?: number
  readonly partitions: readonly ImagePartition[]
  /** The file system that begins with the disk although it has a map, as on hybrid discs; absent: there is none. */
  readonly hybrid?: string
  readonly tables: readonly ImageTable[]
  /** Runs of each kind; empty for raw images. */
  readonly runCounts: { readonly [kind in RunKind]?: number }
  /** Bytes of the disk that hold something (all but ignore and zero runs); null when unknown. */
  readonly dataBytes: number | null
  readonly dataForkChecksum: ImageChecksum | null
  readonly masterChecksum: ImageChecksum | null
  /** Of the image's file, as `NAME.sha256` beside it has it; absent: there is none. */
  readonly fileChecksum?: ImageChecksum
  /** Algorithm of the checksum that a compressed raw image carries of its contents, and every reading compares; absent: none. */
  readonly streamChecksum?: string
  /** Compressed data lies in the file in the order of the disk: ready to be multicast. Null where the word means nothing. */
  readonly inOrder: boolean | null
  readonly scan: ScanInfo | null
}

/** Every reading compares the image with the checksum in the file beside it: of raw images, compressed or not. */
export const isComparedWithFile = ({ fileChecksum, format, tables, encrypted }: ImageInfo): boolean =>
  fileChecksum !== undefined &&
  encrypted === null &&
  tables.length === 0 &&
  (format === 'UDRW' || format.startsWith('raw'))

/** Result of `image verify`: what was recomputed. It throws a FormatError where something is wrong. */
export interface ImageVerification {
  readonly checked: readonly { readonly what: string; readonly algorithm: string; readonly value: string }[]
  /** True when the image holds no checksum at all: it could be read, more is not known. */
  readonly nothingToCheck: boolean
  readonly expandedBytes: number
  readonly durationMs: number
}
