/** What a format hands to the pipeline: how the disk inside can be read, and which checksums the image holds of it. */
import type { BlockCipher } from './block-cipher.ts'
import type { ExtentTable } from './extent-table.ts'

/**
 * A stretch of the stored stream in a file. A single image has one part; the segments of a segmented image follow one
 * another, and a run may straddle two of them.
 */
export interface StoredPart {
  /** An address where the file is on a server. */
  readonly path: string
  /** Where the part begins in the stored stream. */
  readonly streamOffset: number
  readonly fileOffset: number
  readonly lengthBytes: number
  /** The file is encrypted: `fileOffset` counts what is inside. Worker threads get it, nobody else. */
  readonly cipher?: BlockCipher
  /**
   * What the file was when the image was read, where it isn't held open from then on: see `fileStamp`. Of a file on a server:
   * `WebSource.version`.
   */
  readonly stamp?: string
}

/** What tells one file, in one state, from another: device, inode, size, time. */
export function fileStamp(facts: {
  readonly dev: number
  readonly ino: number
  readonly size: number
  readonly mtimeMs: number
}): string {
  return `${facts.dev}:${facts.ino}:${facts.size}:${facts.mtimeMs}`
}

/** An image that is a folder of more files than can be looked after one by one: a sparse bundle. */
export interface BundleFolder {
  readonly path: string
  /** A digest of what all its files were when the image was read; changes with any of them. */
  readonly state: string
}

/**
 * A checksum of a stretch of the disk: CRC-32 of its bytes in order, zero runs included, ignore runs left out
 * (docs/formats/udif.md). Ranges ascend and don't overlap.
 */
export interface CheckRange {
  readonly name: string
  readonly diskOffset: number
  readonly diskBytes: number
  readonly crc32: number
}

/** The SHA-256 that a file beside the image says of its bytes: `lengthBytes` from the first on, in hexadecimal. */
export interface FileChecksum {
  readonly sha256: string
  readonly lengthBytes: number
}

/** The image's blocks can be read in any order. */
export interface ExtentLayout {
  readonly kind: 'extents'
  readonly sizeBytes: number
  readonly parts: readonly StoredPart[]
  readonly extents: ExtentTable
  readonly checks: readonly CheckRange[]
  /** CRC-32 of the raw bytes of each file's data fork, where stored. */
  readonly storedChecks: readonly {
    readonly path: string
    readonly fileOffset: number
    readonly lengthBytes: number
    readonly crc32: number
    /** See `StoredPart`. */
    readonly cipher?: BlockCipher
    readonly stamp?: string
  }[]
  /** Of a disk that is a file as it is, whose bytes are the first of the disk: compared when all of them have been read. */
  readonly fileCheck?: FileChecksum
  /** The parts are files of this folder. */
  readonly bundle?: BundleFolder
}

/** `field`: what says so, for messages. */
export interface LeastSize {
  readonly sizeBytes: number
  readonly field: string
}

export type StreamCodec = 'gzip' | 'bzip2' | 'xz' | 'zstd'

/** The image is one compressed stream, to be read from start to end; its codec checks itself. */
export interface SequentialLayout {
  readonly kind: 'stream'
  readonly codec: StreamCodec
  readonly path: string
  /** See `StoredPart`. */
  readonly stamp?: string
  readonly storedBytes: number
  /** Null when only reading it would tell. */
  readonly sizeBytes: number | null
  /** What the disk's own map, or file system, says of its size where nothing else does: with less the image was cut short. */
  readonly least?: LeastSize
  /** It was written without a checksum of what it holds. */
  readonly unchecked?: true
  /** Of the stored bytes: compared when all of them have been read. */
  readonly fileCheck?: FileChecksum
}

export type ImageLayout = ExtentLayout | SequentialLayout
