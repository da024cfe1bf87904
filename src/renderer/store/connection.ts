/**
 * Keeps the window connected to its host: connects, fills the mirror with everything there is, follows the events, and
 * when the connection is lost tries again a few times. It decides nothing else.
 */
import {
  connectContract,
  uiContract,
  type Client,
  type FrameTransport,
  type MenuCommand,
  type UiContract,
} from '#shared/contract'
import type { LogLine } from '#shared/log'
import type { Clock } from './clock.ts'
import type { MirrorWriter } from './engine-mirror.ts'

/** A connected host. */
export interface HostConnection {
  readonly client: Client<UiContract>
  /** `final`: trying again is useless, the link isn't valid (any more). */
  readonly onClose: (listener: (end: { readonly final: boolean }) => void) => void
}

/** Opens a connection; rejects when the host can't be reached, with `ConnectRefused` when it never will be. */
export type Connect = () => Promise<HostConnection>

/** The host said that the link isn't valid: trying again is useless. */
export class ConnectRefused extends Error {}

/** A connection over frames. `isFinal` reads from the transport's reason whether trying again is useless. */
export function hostConnection(
  transport: FrameTransport,
  isFinal: (reason: Error) => boolean,
): HostConnection {
  const connection = connectContract(uiContract, transport)
  return {
    client: connection,
    onClose: (listener) => connection.onClose((reason) => listener({ final: isFinal(reason) })),
  }
}

/** Waits before each new try; after the last one the window says that the host can't be reached. */
const retryDelaysMs = [250, 500, 1000, 2000, 4000, 4000, 4000]
/** Before all later ones: a tunnel may be built again, or a computer wake. */
const lateRetryMs = 4000
/** Log lines come in bursts; the mirror takes them together. */
const logBatchMs = 250

export interface ConnectionDeps {
  readonly connect: Connect
  readonly mirror: MirrorWriter
  readonly clock: Clock
  /** The host's menu was used. */
  readonly onMenu: (command: MenuCommand) => void
  /** The first answer, and each later one after a reconnection, is in the mirror. */
  readonly onReady: () => void
}

export interface KeptConnection {
  /** Null while there is none. */
  readonly client: () => Client<UiContract> | null
  /** How the first try went: who presses a button as soon as the window is there waits for it. Null: there is no host. */
  readonly first: Promise<Client<UiContract> | null>
  readonly dispose: () => void
}

export function keepConnected(deps: ConnectionDeps): KeptConnection {
  const { connect, mirror, clock } = deps
  let current: Client<UiContract> | null = null
  let disposed = false
  let tries = 0
  let cancelRetry = () => {}
  let endEvents = () => {}
  const first = Promise.withResolvers<Client<UiContract> | null>()

  const attempt = async () => {
    let ended = false
    const end = (final: boolean) => {
      if (ended || disposed) return
      ended = true
      lose(final)
    }
    try {
      const host = await connect()
      host.onClose(({ final }) => end(final))
      if (ended || disposed) return
      mirror.setEngine({ state: 'ready', reason: null })
      const events = follow(host.client, deps)
      endEvents = events.end
      await fill(host.client, deps, events)
      // It may have been lost while it was being asked.
      if (ended || disposed) return
      current = host.client
      tries = 0
      mirror.setConnection({ state: 'open' })
      deps.onReady()
      first.resolve(current)
    } catch (error) {
      end(error instanceof ConnectRefused)
    }
  }

  const lose = (final: boolean) => {
    endEvents()
    endEvents = () => {}
    cancelRetry()
    current = null
    first.resolve(null)
    if (final) {
      mirror.setConnection({ state: 'refused' })
      return
    }
    const delayMs = retryDelaysMs[tries]
    mirror.setConnection({ state: 'lost', retrying: delayMs !== undefined })
    tries += 1
    cancelRetry = clock.after(delayMs ?? lateRetryMs, () => void attempt())
  }

  void attempt()
  return {
    client: () => current,
    first: first.promise,
    dispose() {
      disposed = true
      first.resolve(null)
      cancelRetry()
      endEvents()
    },
  }
}

/** Each answer goes into the mirror as it comes, so that no event that follows it is overwritten. */
async function fill(client: Client<UiContract>, { mirror, clock }: ConnectionDeps, events: Followed) {
  await Promise.all([
    client.request('app.info', {}).then(mirror.setApp),
    client
      .request('state.get', {})
      .then(({ nowMs, ...state }) => mirror.setState({ ...state, hostAheadMs: nowMs - clock.now() })),
    client.request('log.read', {}).then(({ lines }) => events.setLog(lines)),
  ])
}

interface Followed {
  /** All lines that there are: those that wait are among them. */
  readonly setLog: (lines: readonly LogLine[]) => void
  readonly end: () => void
}

function follow(client: Client<UiContract>, { mirror, clock, onMenu }: ConnectionDeps): Followed {
  let batch: LogLine[] = []
  let cancelBatch: (() => void) | null = null
  const flush = () => {
    cancelBatch = null
    mirror.addLog(batch)
    batch = []
  }
  const ends = [
    client.subscribe('devices', mirror.setDevices),
    client.subscribe('job', mirror.setJob),
    client.subscribe('engine', mirror.setEngine),
    client.subscribe('sessions', mirror.setSessions),
    client.subscribe('streams', mirror.setStreams),
    client.subscribe('fetches', mirror.setFetches),
    client.subscribe('menu', ({ command }) => onMenu(command)),
    client.subscribe('log', (line) => {
      batch.push(line)
      cancelBatch ??= clock.after(logBatchMs, flush)
    }),
  ]
  return {
    setLog(lines) {
      batch = []
      mirror.setLog(lines)
    },
    end() {
      cancelBatch?.()
      for (const end of ends) end()
    },
  }
}
