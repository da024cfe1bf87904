/** A restore: what is asked, what the preflight found, and what is to be confirmed. Plain data; sizes in bytes. */
import type { SerializedError } from '#shared/errors'
import type { Bus, Disk, Volume } from './disk.ts'
import type { ImageInfo } from './image.ts'
import type { StreamInfo } from './multicast.ts'

/**
 * Source and target are locators, as asr takes them: the path of an image or a file, a `/dev` node, or a mount point; a
 * source may also be an `http(s)://` or an `asr://` address. The engine finds out which.
 */
export interface RestoreRequest {
  readonly source: string
  readonly target: string
  /** Which partition of an image, by its number in the map, goes into a target that is a partition. Absent: the only volume. */
  readonly sourcePartition?: number
  /** Must be true: without Erase a restore would be a file copy, which isn't available yet. */
  readonly erase: boolean
  readonly verify: boolean
  /** Write zeros over space the image marks as unused, too. */
  readonly clearUnused: boolean
  /**
   * The destination is read and compared first; what is right already isn't written. By the image's block hashes where
   * it has them (equal blocks of the image aren't even read), else with the image's contents.
   */
  readonly changedOnly: boolean
  /** What happens to the destination's volumes when all went well. */
  readonly afterwards: 'remount' | 'eject'
  /** Of an `asr://` source: it fails when no part of the image came for so long. 0: never; other sources take no notice. */
  readonly timeoutMs: number
  /** `file`: of an `asr://` source, the target becomes the image's file itself, not what is in it. */
  readonly form: 'contents' | 'file'
  /** Of an `asr://` source: name or address of the interface to receive on. Absent: the one that leads to the server. */
  readonly interface?: string
  readonly buffering: Buffering
}

/** asr's four options; null means the default. Sizes in bytes, rounded up to whole pages. */
export interface Buffering {
  readonly buffers: number | null
  readonly bufferBytes: number | null
  readonly csumBuffers: number | null
  readonly csumBufferBytes: number | null
}

/** What stands behind a source locator. */
export type SourceInfo =
  | { readonly kind: 'image'; readonly locator: string; readonly name: string; readonly image: ImageInfo }
  | { readonly kind: 'disk'; readonly locator: string; readonly name: string; readonly disk: Disk }
  | {
      readonly kind: 'volume'
      readonly locator: string
      readonly name: string
      readonly disk: Disk
      readonly volume: Volume
    }
  | {
      readonly kind: 'stream'
      readonly locator: string
      /** The image's. */
      readonly name: string
      readonly stream: StreamInfo
      /** Null where what is streamed isn't an image that can be opened. */
      readonly image: ImageInfo | null
    }

/** What stands behind a target locator. */
export interface TargetInfo {
  readonly kind: 'disk' | 'partition' | 'file'
  /** The node or file that will be written. */
  readonly path: string
  readonly name: string
  /** Null for a file that doesn't exist yet or may grow. */
  readonly sizeBytes: number | null
  readonly bus: Bus
  /** See `Disk.identity`; of a partition with its place on the disk; for a file its path, device and inode. */
  readonly identity: string
  readonly mountPoints: readonly string[]
  /** The whole disk, also when the target is one of its partitions. Null for a file. */
  readonly disk: Disk | null
  /** Of a file: it is there, and is written over. Absent: it will be made. */
  readonly exists?: true
}

/** One thing that will be gone. */
export interface Loss {
  readonly kind: 'volume' | 'partition-map' | 'file' | 'contents'
  readonly name: string
  readonly path: string
  readonly filesystem: string | null
  readonly sizeBytes: number
  readonly usedBytes: number | null
  readonly mountPoints: readonly string[]
}

/**
 * What of losses is agreed to: a disk that was partitioned anew is another matter, even if it is the same disk. Where volumes are
 * mounted and how full they are may change without making a difference.
 */
export const agreedLosses = (losses: readonly Loss[]) =>
  losses.map(({ kind, name, path, filesystem, sizeBytes }) => [kind, name, path, filesystem, sizeBytes])

/** `partly`: inside, and of only a part of what the image stores. */
export type SourceChecksums = 'none' | 'partly' | 'inside' | 'beside'

/** The preflight, in asr's order. `done` carries the numbers the words are made of. */
/** What of an image with a partition map goes into a partition; null: everything goes. */
export const onlyVolumeOf = ({ checks }: Pick<RestorePlan, 'checks'>) =>
  checks.find((check) => check.kind === 'only-volume') ?? null

export type PreflightCheck = {
  readonly step: 'target' | 'source' | 'sizes'
  readonly state: 'ok' | 'warning' | 'failed'
} & (
  | { readonly kind: 'target-ok'; readonly name: string; readonly sizeBytes: number | null }
  | {
      readonly kind: 'source-ok'
      readonly name: string
      readonly format: string
      /** What the image is compared with while it is read: what it holds, or the SHA-256 in `NAME.sha256` beside it. */
      readonly checksums: SourceChecksums
    }
  | { readonly kind: 'fits'; readonly neededBytes: number; readonly availableBytes: number | null }
  | { readonly kind: 'size-unknown'; readonly availableBytes: number | null }
  | { readonly kind: 'left-over'; readonly unusedBytes: number } // the destination is larger than the image
  | { readonly kind: 'losses'; readonly names: readonly string[] }
  | { readonly kind: 'unmounts'; readonly mountPoints: readonly string[] }
  /** The image's disk has a partition map, and the destination is a partition. `names`: of the volumes in the one that is restored. */
  | { readonly kind: 'only-volume'; readonly names: readonly string[]; readonly partition: number }
  | { readonly kind: 'not-checksummed' } // the image holds no checksums: only what was read can be compared
  | { readonly kind: 'partly-checksummed' } // the same, of a part of it
  /** The file beside the image holds a SHA-256, and the image isn't read from its first byte to its last: only a verify compares it. */
  | { readonly kind: 'checksum-left-out'; readonly file: string }
  /**
   * Only with `changedOnly`: what the destination is compared with. `hashes` of the image's blocks; the `source`'s
   * contents, all of which must be read for it; `volume`: the same, of one `volume` of an image; `nothing`: there is no destination yet, so all is written.
   */
  | { readonly kind: 'changed-only'; readonly by: 'hashes' | 'source' | 'volume' | 'nothing' }
  /** Such as a source of 512-byte blocks and a disk of 4 KiB ones. `holds`: of the source, a partition map or a single file system. */
  | {
      readonly kind: 'block-size'
      readonly sourceBytes: number
      readonly diskBytes: number
      readonly holds: 'partitions' | 'volume'
    }
  | { readonly kind: 'error'; readonly error: SerializedError }
)

/** How the person has to say yes. */
export type Confirmation =
  | { readonly kind: 'plain' }
  | {
      readonly kind: 'type'
      /** To be typed (`isTyped`): the destination's name. */
      readonly phrase: string
      readonly reasons: readonly ('internal' | 'large' | 'many-volumes' | 'file')[]
    }

/** Exactly, but for how letters are stored: a file system may hold in parts what a keyboard gives as one (ü). */
export const isTyped = (phrase: string, typed: string | null): boolean =>
  typed?.normalize() === phrase.normalize()

/** How long a plan may be started after it was made. */
export const planLifeMs = 10 * 60_000

export interface RestorePlan {
  /** Single use; expires. */
  readonly planId: string
  readonly request: RestoreRequest
  /** Null when the locator leads nowhere; then a check says why. */
  readonly source: SourceInfo | null
  /**
   * What the source was when the plan was made: its files' devices, inodes, sizes and times, or the disk's identity.
   * Absent when there is no source. Compared when the plan is carried out.
   */
  readonly sourceIdentity?: string
  readonly target: TargetInfo | null
  readonly checks: readonly PreflightCheck[]
  readonly losses: readonly Loss[]
  readonly confirmation: Confirmation
  /** The first failed check's error: with it, the plan can't be started. */
  readonly refusal: SerializedError | null
  /** Opening the target, a device, needs rights this process hasn't. */
  readonly needsPrivilege: boolean
}

/** Whether the destination is ejected when all went well: a file can't be, whatever was asked for. */
export const ejectsTarget = ({ request, target }: Pick<RestorePlan, 'request' | 'target'>): boolean =>
  request.afterwards === 'eject' && target !== null && target.kind !== 'file'
