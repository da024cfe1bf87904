/** What the engine host needs of the engines, as one small interface: tests give it fakes of it. */
import type { DisksRead } from '#engine/copy'
import type { JobContext } from '#engine/job'
import type { KeepAwake, Platform } from '#engine/platform'
import type { Logger } from '#shared/log'
import type {
  ClientChange,
  FoundStream,
  ImageInfo,
  ImageTask,
  JobOutcome,
  NetworkCheck,
  NetworkInterface,
  RestorePlan,
  RestoreRequest,
  ServerConfiguration,
  SessionSettings,
  SessionState,
  SourceInfo,
  WebFetch,
} from '#shared/model'

export interface Engines {
  /** Knows the system's disks; the host adds the Practice disk and what it is busy with. */
  readonly platform: Platform
  /** Held while a job runs. */
  readonly keepAwake: KeepAwake
  readonly inspectSource: (locator: string, platform: Platform, signal: AbortSignal) => Promise<SourceInfo>
  readonly imageInfo: (path: string, signal: AbortSignal) => Promise<ImageInfo>
  /** Keeps the keys in this process. Throws FormatError E_SRC_PASSWORD; of an `asr://` stream NetworkError E_MC_PASSWORD. */
  readonly unlockImage: (path: string, password: string, signal: AbortSignal) => Promise<void>
  /**
   * Calls `listener` with all files that are being fetched as a whole, of servers that give no parts: at each change, and a few times a
   * second while they come.
   */
  readonly watchFetches: (listener: (fetches: readonly WebFetch[]) => void) => Disposable
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
  /** By jobs or sessions of this process. */
  readonly disksRead: DisksRead
  /** `platform` doesn't call the job's own disk busy. */
  readonly runRestore: (plan: RestorePlan, platform: Platform, context: JobContext) => Promise<JobOutcome>
  readonly multicast: MulticastEngine
}

/**
 * Streams: those of this host, and those found on the network. Errors are the contract's. Nothing is loaded, bound or sent
 * before it is asked for; disposing ends every session at once, says so to its clients, and lets go of everything.
 */
export interface MulticastEngine extends AsyncDisposable {
  interfaces(signal: AbortSignal): Promise<readonly NetworkInterface[]>
  check(settings: SessionSettings, signal: AbortSignal): Promise<readonly NetworkCheck[]>
  /** The first line of that. */
  checkSource(
    source: Pick<SessionSettings, 'source' | 'compression'>,
    signal: AbortSignal,
  ): Promise<NetworkCheck>
  /** Resolves when the session is there; its source may still be read. Throws what stands against it. */
  startSession(settings: SessionSettings, signal: AbortSignal): Promise<{ readonly sessionId: string }>
  /** These throw UsageError where there is no such session or client. */
  startNow(sessionId: string): Promise<void>
  setRate(
    sessionId: string,
    rate: { readonly dataRate: number; readonly clientDataRate: number | null },
  ): Promise<void>
  /** These first, in this order; then the others, in theirs. */
  setPrecedence(sessionIds: readonly string[]): Promise<void>
  /** Resolves when it has ended, or when it is set to end. Of an ended one: it is no longer told of. */
  stopSession(sessionId: string, when: 'now' | 'when-finished'): Promise<void>
  disconnect(sessionId: string, clientId: string): Promise<void>
  /** What became of that client, oldest first. */
  clientLog(sessionId: string, clientId: string): Promise<readonly ClientChange[]>
  /** Called with all sessions in order of precedence, at most twice a second, while something changes. One listener. */
  onSessions(listener: (sessions: readonly SessionState[]) => void): void
  /** Looks for streams on the network, until disposed; `listener` hears all of them at each change. */
  watchStreams(listener: (streams: readonly FoundStream[]) => void): AsyncDisposable
  readConfiguration(path: string): Promise<{
    readonly configuration: ServerConfiguration
    readonly warnings: readonly string[]
  }>
  writeConfiguration(path: string, configuration: ServerConfiguration): Promise<void>
}

/**
 * Makes the engines, given the logger they log to. `onBehalfOf`: the user that an elevated host works for; null: this process's
 * own.
 */
export type CreateEngines = (deps: { readonly log: Logger; readonly onBehalfOf?: number | null }) => Engines
