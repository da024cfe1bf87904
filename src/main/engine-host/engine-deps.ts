/** What the engine host needs of the engines, as one small interface: tests give it fakes of it. */
import type { JobContext } from '#engine/job'
import type { Platform } from '#engine/platform'
import type { Logger } from '#shared/log'
import type { ImageInfo, ImageTask, JobOutcome, RestorePlan, RestoreRequest, SourceInfo } from '#shared/model'

export interface Engines {
  /** Knows the system's disks; the host adds the Practice disk and what it is busy with. */
  readonly platform: Platform
  readonly inspectSource: (locator: string, platform: Platform, signal: AbortSignal) => Promise<SourceInfo>
  readonly imageInfo: (path: string, signal: AbortSignal) => Promise<ImageInfo>
  /** Keeps the keys in this process. Throws FormatError E_SRC_PASSWORD. */
  readonly unlockImage: (path: string, password: string, signal: AbortSignal) => Promise<void>
  /** `platform` doesn't call the job's own disk busy. */
  readonly runImageTask: (task: ImageTask, platform: Platform, context: JobContext) => Promise<JobOutcome>
  /** Makes a plan and keeps it, for `takePlan`. */
  readonly planRestore: (
    request: RestoreRequest,
    platform: Platform,
    signal: AbortSignal,
  ) => Promise<RestorePlan>
  /**
   * The plan, if it may be started with what the person typed; from now on it may not be again. Throws UsageError
   * E_NOT_CONFIRMED, or the plan's refusal.
   */
  readonly takePlan: (planId: string, typed: string | null) => RestorePlan
  /** `platform` doesn't call the job's own disk busy. */
  readonly runRestore: (plan: RestorePlan, platform: Platform, context: JobContext) => Promise<JobOutcome>
}

/**
 * Makes the engines, given the logger they log to. `onBehalfOf`: the user that an elevated host works for; null: this process's
 * own.
 */
export type CreateEngines = (deps: { readonly log: Logger; readonly onBehalfOf?: number | null }) => Engines
