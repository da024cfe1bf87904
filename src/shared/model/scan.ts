/** Scanning an image for restore: what is asked, what it leaves in the image. Plain data; sizes in bytes, times in ms since 1970. */
import type { ImageChecksum } from './image.ts'

export interface ScanRequest {
  /** Path of a UDIF image. */
  readonly path: string
  /** Rewrite the file when its data isn't in the order of the disk; false: asr's --nostream. */
  readonly reorder: boolean
  /** Scan an image whose HFS+ catalog lies in more than eight extents. */
  readonly allowFragmentedCatalog: boolean
}

/** What a scan says of one partition. */
export interface ScannedPartition {
  readonly partNum: number
  /** Digests in lower-case hex. */
  readonly sha1: string | null
  readonly sha256: string | null
  readonly blockChecksum2: string | null
  /** When the HFS+ volume was last changed: not when it was scanned. */
  readonly dateMs: number | null
  readonly usedBytes: number | null
  /** Volumes of an APFS container, as the scan listed them. */
  readonly volumes: readonly { readonly name: string; readonly uuid: string }[]
}

/** That there is a hash for every block of the disk, and what they add up to. */
export interface ScannedBlocks {
  /** The last block may be shorter. */
  readonly blockBytes: number
  readonly count: number
  /** SHA-256 over all of them (docs/formats/asr-scan.md), lower-case hex. */
  readonly root: string
}

/** What a scan for restore stored in the image. */
export interface ScanInfo {
  /** One entry for each scanned partition, in the order stored. */
  readonly partitions: readonly ScannedPartition[]
  /** Null when another program scanned it: only Reprise stores them. */
  readonly blocks: ScannedBlocks | null
  /** When it was scanned; null when the scan doesn't say. */
  readonly dateMs: number | null
  /** `Reprise 0.1.0`; null when the scan doesn't say. */
  readonly scannedBy: string | null
}

export interface ImageScan {
  readonly path: string
  readonly scan: ScanInfo
  /** `kept`: the image held all of it already, and nothing was written. `reordered`: the file was written anew, in order. */
  readonly stored: 'kept' | 'added' | 'reordered'
  /** Ready to be multicast. False only when reordering wasn't wanted. */
  readonly inOrder: boolean
  /** It had a code signature, which doesn't hold for a changed file: it was removed. */
  readonly signatureRemoved: boolean
  /** Of the disk inside. */
  readonly sizeBytes: number
  /** Of all files of the image together, before and now. */
  readonly beforeBytes: number
  readonly storedBytes: number
  readonly durationMs: number
  /** Of the disk inside. */
  readonly bytesPerSecond: number
}

export interface ChecksumRequest {
  readonly path: string
  /** The SHA-256 in the file beside the image is written anew, whatever it says. Otherwise it is compared. */
  readonly replace: boolean
}

/** Checksums that an image lacked and has now. */
export interface AddedChecksums {
  readonly path: string
  /** Empty when it lacked none. */
  readonly added: readonly (ImageChecksum & { readonly what: string })[]
  /** Where they are, when the image itself has no place for them: `disk.img.sha256`. */
  readonly besides: string | null
  readonly signatureRemoved: boolean
  readonly durationMs: number
}
