/**
 * What the command line needs of the engines, as one small interface: the verbs are tested with a fake of it. Connecting
 * the real ones loads them, so it happens when a verb asks, not before.
 */
import type { Disk, ImageInfo, ImageTask, JobState, RestorePlan, RestoreRequest } from '#shared/model'

/** A job that runs in this process; see #engine/job. */
export interface RunningJob {
  /** Calls `listener` now, at changes, and with the final state. */
  subscribe(listener: (state: JobState) => void): unknown
  /** Asks it to stop, for a signal's `reason`; settles when the work has stopped. */
  cancel(reason?: unknown): Promise<JobState>
  /** Resolves to the final state. Never rejects. */
  readonly ended: Promise<JobState>
}

/** See #engine/web-source. */
export interface FetchWatch {
  waits(
    path: string,
    during: 'opening' | 'reading',
  ): {
    again(trouble: unknown): void
    end(): void
  }
  begin(
    path: string,
    sizeBytes: number | null,
  ): {
    advance(doneBytes: number): void
    end(): void
  }
}

export interface Engines {
  /** Restoring works on this system. */
  readonly supported: boolean
  listDisks(): Promise<readonly Disk[]>
  imageInfo(path: string): Promise<ImageInfo>
  /** It is an encrypted image, or a multicast session, whose password wasn't given yet. False for all else, whatever it is. */
  isLocked(path: string, signal: AbortSignal): Promise<boolean>
  /** Keeps the keys in this process. Rejects with FormatError E_SRC_PASSWORD, NetworkError E_MC_PASSWORD, the signal's reason. */
  unlockImage(path: string, password: string, signal: AbortSignal): Promise<void>
  /** Until it is disposed, `watch` is told why an image on a server takes long. */
  watchFetch(watch: FetchWatch): Disposable
  /** Bytes of the disk a target is; null where it is none or a part of one, or can't be looked at. Rejects with the signal's reason. */
  capacityOf(target: string, signal: AbortSignal): Promise<number | null>
  /** Verifies, converts, … an image. */
  startImageTask(task: ImageTask): RunningJob
  /** Rejects with the signal's reason. */
  planRestore(request: RestoreRequest, signal: AbortSignal): Promise<RestorePlan>
  startRestore(plan: RestorePlan): RunningJob
}
