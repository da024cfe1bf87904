/** A job as everyone sees it: a state, sent whole a few times a second. Plain data; sizes in bytes, times in ms. */
import type { SerializedError } from '#shared/errors'
import type { ImageConversion } from './convert.ts'
import type { ImageCreation } from './create.ts'
import type { ImageVerification } from './image.ts'
import type { ImageTaskKind } from './image-task.ts'
import type { StreamProgress } from './multicast.ts'
import type { ImageResizing } from './resize.ts'
import type { RestorePlan } from './restore.ts'
import type { AddedChecksums, ImageScan } from './scan.ts'

/** asr's phases, in order, and ours behind them. A job passes through a subset. */
export const jobPhases = [
  'validating-target',
  'validating-source',
  'validating-sizes',
  'unmounting',
  'erasing',
  'building',
  'creating',
  'restoring',
  'verifying',
  'remounting',
  'converting',
  'scanning',
  'reordering',
  'resizing',
  'compacting',
] as const
export type JobPhase = (typeof jobPhases)[number]

export interface PhaseState {
  readonly phase: JobPhase
  readonly state: 'pending' | 'current' | 'done' | 'skipped' | 'failed'
  readonly durationMs: number | null
}

/** What holds the current phase up. Null before it can be told. */
export type Bottleneck = 'source' | 'decoding' | 'destination'

/** Bytes should move, and for a minute or longer none has. */
export interface Stall {
  readonly silentMs: number
  /** Whose answer is missing. */
  readonly awaited: 'source' | 'destination'
}

export interface JobProgress {
  readonly phase: JobPhase
  /** Bytes of the disk, unused ones included, so that it ends at `totalBytes`. */
  readonly doneBytes: number
  /** Null when the image's size isn't known beforehand. */
  readonly totalBytes: number | null
  /** 0–100, whole; null when `totalBytes` is. */
  readonly percent: number | null
  /** Over the last two seconds. Null in the first half second. */
  readonly bytesPerSecond: number | null
  readonly remainingMs: number | null
  readonly limitedBy: Bottleneck | null
  /** Of a restore. Null while bytes move, and where waiting is nobody's fault. */
  readonly stall: Stall | null
  /** While a multicast stream is received, or waited for after its server went away; null at all other times. */
  readonly stream: StreamProgress | null
}

/** In what state a failure or Cancel left the destination. */
export type TargetState =
  | 'untouched' // nothing was written
  | 'changed' // an image that is changed where it is: whole, and not what it was
  | 'kept' // what came of a stream is kept, and the same command goes on with it
  | 'empty' // erased, valid and unmounted
  | 'wiped' // erased, and no map or file system could be made that it is a valid one of
  | 'incomplete' // could not even be erased: unplugged, or it refuses writes

export interface RestoreSummary {
  /** Size of what was restored. */
  readonly restoredBytes: number
  readonly writtenBytes: number
  /** Zeroed without sending zeros. */
  readonly zeroedBytes: number
  /** Unused space discarded or left alone. */
  readonly skippedBytes: number
  /** Of the used bytes: found right on the destination and left as they were. 0 unless `changedOnly` was asked for. */
  readonly unchangedBytes: number
  readonly durationMs: number
  readonly bytesPerSecond: number
  /** Read back and compared. */
  readonly verified: boolean
  /** CRC-32 over the whole image, unused space as zeros, hex: what was read back expands to it. Null without verify. */
  readonly checksum: string | null
  /** Where volumes are mounted now. */
  readonly mountPoints: readonly string[]
  readonly ejected: boolean
  /** Of the destination, all is mounted again that was. False where it was to be ejected, and of a file. */
  readonly remounted: boolean
  /** File systems on the destination that this computer can't mount (`apfs`). Absent: none that is known. */
  readonly unreadable?: readonly string[]
  /** It is done, and this did not work: the eject, a remount. */
  readonly warnings: readonly SerializedError[]
}

/** Of work that changes an image's file, or puts another at its place. */
interface Changing {
  /** The file beside it (`disk.img.sha256`) whose SHA-256 was of what is no longer there. Absent: there is none. */
  readonly outdated?: string
}

/** Of a restore that wasn't done. */
interface Undone {
  /** Besides, this did not work: a volume that was to be mounted again. Absent: all of it did. */
  readonly warnings?: readonly SerializedError[]
}

export type JobOutcome =
  | ({ readonly kind: 'done'; readonly summary: RestoreSummary } & Changing)
  | { readonly kind: 'checked'; readonly verification: ImageVerification }
  | ({ readonly kind: 'converted'; readonly conversion: ImageConversion } & Changing)
  | ({ readonly kind: 'created'; readonly creation: ImageCreation } & Changing)
  | ({ readonly kind: 'scanned'; readonly scan: ImageScan } & Changing)
  | ({ readonly kind: 'checksummed'; readonly checksums: AddedChecksums } & Changing)
  | ({ readonly kind: 'resized'; readonly resize: ImageResizing } & Changing)
  | ({ readonly kind: 'failed'; readonly error: SerializedError; readonly target: TargetState } & Changing &
      Undone)
  | ({
      readonly kind: 'cancelled'
      readonly target: TargetState
      readonly percent: number | null
      /** Of a restore: what it was at, and what `percent` is of. Absent before its first phase, and of other jobs. */
      readonly phase?: JobPhase
    } & Changing &
      Undone)

export interface JobState {
  readonly jobId: string
  readonly kind: 'restore' | `${ImageTaskKind}-image`
  readonly plan: RestorePlan | null
  /** What it works on, for lists: `System.dmg → SanDisk Ultra`. */
  readonly title: string
  /** Locator of what it reads, as it was asked for but for a password in it; null: nothing, a blank image is made. */
  readonly source: string | null
  readonly startedMs: number
  readonly endedMs: number | null
  readonly stopping: boolean
  readonly phases: readonly PhaseState[]
  readonly progress: JobProgress | null
  /** Null while it runs. */
  readonly outcome: JobOutcome | null
}

/** From one of these on, something may have been written. */
const writing: readonly JobPhase[] = ['erasing', 'restoring', 'verifying', 'remounting']

/** Whether a restore has come so far that its destination may be another one than it was. */
export const mayHaveWritten = ({ kind, phases }: Pick<JobState, 'kind' | 'phases'>): boolean =>
  kind === 'restore' &&
  phases.some(({ phase, state }) => writing.includes(phase) && (state === 'current' || state === 'done'))

/** What comes is kept beside the file, whose name it takes only when it is complete: whatever happens, nothing is lost. */
export const keepsWhatCame = ({ plan }: Pick<JobState, 'plan'>): boolean => plan?.request.form === 'file'
