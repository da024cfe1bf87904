/**
 * What the command line needs of the multicast engines, as one small interface: the verbs are tested with a fake of it. Apart from
 * the other engines, which a server of streams doesn't need.
 */
import type { Offer } from '#engine/multicast/client'
import type { Beside } from '#engine/multicast/configuration'
import type { Management, ManagementOptions, ManagementTarget } from '#engine/multicast/management'
import type { FoundStream, ServerConfiguration, SessionSettings, SessionState } from '#shared/model'
import type { Engines } from './engines.ts'

/** A server of streams in this process. Disposing it ends every session at once and says so to its clients. */
export interface StreamServing extends AsyncDisposable {
  /** Resolves when nothing stands against the session: its source is read afterwards. Rejects with what does. */
  start(settings: SessionSettings, signal: AbortSignal): Promise<{ readonly sessionId: string }>
  /** Calls `listener` with all sessions now and at each change, twice a second at most. */
  subscribe(listener: (sessions: readonly SessionState[]) => void): Disposable
}

export interface StreamEngines {
  /**
   * asr's configuration; `beside`: what is known besides. Throws UsageError E_MC_CONFIG; DeviceError when the file can't be
   * read.
   */
  readConfiguration(
    path: string,
    beside?: Beside,
  ): Promise<{
    readonly configuration: ServerConfiguration
    readonly warnings: readonly string[]
  }>
  openServer(): Promise<StreamServing>
  /** What its sources on web servers are fetched by. */
  fetches(): Promise<Pick<Engines, 'watchFetch'>>
  /** The servers that this person runs on this computer. Those that don't answer are left out. */
  localServers(signal: AbortSignal): Promise<readonly Management[]>
  manage(target: ManagementTarget, options: ManagementOptions): Promise<Management>
  /** What a server tells to anyone who asks. */
  listSessions(target: ManagementTarget, signal: AbortSignal): Promise<Offer>
  /** Looks for streams on the network until disposed; `listener` hears all of them at each change. */
  browse(listener: (streams: readonly FoundStream[]) => void): AsyncDisposable
}
