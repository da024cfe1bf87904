/** One session as the server keeps it, and what it tells of it. */
import { doubtfulSettings } from '#engine/multicast/network'
import { closeBytes, type LiveState, type OpenBytes } from '#engine/multicast/orders'
import { maxFrameBytes } from '#shared/contract'
import { serializeError, type SerializedError } from '#shared/errors'
import type { Logger } from '#shared/log'
import {
  formatStreamLocator,
  isSessionOver,
  withoutPassword,
  type NetworkInterface,
  type SessionClient,
  type SessionSettings,
  type SessionState,
} from '#shared/model'
import type { ClientLog } from './client-log.ts'
import type { PortLease } from './port-threads.ts'
import type { ServedSource } from './served-source.ts'

export interface SessionEntry {
  readonly sessionId: string
  readonly settings: SessionSettings
  readonly interface: NetworkInterface
  readonly createdMs: number
  /** Null until it is prepared, where that takes more than reading it. */
  source: ServedSource | null
  readonly imageName: string
  sizeBytes: number
  blockBytes: number
  readonly abort: AbortController
  /** Of its port, until it is over. */
  readonly lease: PortLease
  /** What is streamed, while this thread reads it. */
  opened: OpenBytes | null
  /** What should be known, and stops nothing. */
  readonly warnings: SerializedError[]
  doneBytes: number
  totalBytes: number
  /** Counted as one who uses its port until this is begun; resolves when it isn't any more. */
  leavingPort: Promise<void> | null
  /** The thread has it. */
  isServed: boolean
  /** What was opened and taken is being given back. */
  givingBack: Promise<void> | null
  /** Null while it is prepared, and when it never got further. */
  live: LiveState | null
  readonly clientLog: ClientLog
  ended: {
    readonly phase: 'ended' | 'failed'
    readonly atMs: number
    readonly error: SerializedError | null
  } | null
  preparing: Promise<void>
}

export const isOver = ({ live, ended }: Pick<SessionEntry, 'live' | 'ended'>): boolean =>
  ended !== null || (live !== null && isSessionOver(live.phase))

/** Of those that are over, the newest are remembered: who starts one each hour would have thousands to be told of. */
const mostOver = 100

/** Those that are to be forgotten. */
export function forgettable(entries: Iterable<SessionEntry>): readonly SessionEntry[] {
  const endedMs = ({ live, ended }: SessionEntry) => ended?.atMs ?? live?.endedMs ?? 0
  return [...entries]
    .filter(isOver)
    .toSorted((a, b) => endedMs(b) - endedMs(a))
    .slice(mostOver)
}

/** What is read in this thread isn't any more. */
export async function letGo(entry: SessionEntry): Promise<void> {
  const { opened } = entry
  entry.opened = null
  if (opened !== null) await closeBytes(opened)
}

/** Everything that was opened and taken for it, once: when it is over. Never rejects for what can't be given back. */
export function giveBack(entry: SessionEntry, log: Logger): Promise<void> {
  entry.givingBack ??= (async () => {
    await letGo(entry)
    await entry.source?.release?.().catch((error: unknown) => {
      log.warn('a source was not given back', {
        session: entry.settings.name,
        error: serializeError(error),
      })
    })
  })()
  return entry.givingBack
}

/** All sessions as JSON. What is left of a frame is for what else a window is told as it opens. */
const mostToldBytes = (maxFrameBytes / 4) * 3

/** Everything but its password, and that of its source. */
export function stateOf(entry: SessionEntry, fingerprint: string): SessionState {
  const { sessionId, settings, live, ended, blockBytes, createdMs, doneBytes, totalBytes } = entry
  const { password, ...rest } = settings
  const { sizeBytes, imageName } = entry
  const { configuration, name } = settings
  const address = live?.address ?? entry.interface.address
  const locator = formatStreamLocator({
    host: address,
    port: configuration.port,
    session: name,
    fingerprint,
  })
  const dataRate = live?.dataRate ?? configuration.dataRate
  const doubts = isOver(entry) ? [] : doubtfulSettings({ ...configuration, dataRate }, entry.interface)
  return {
    sessionId,
    settings: {
      ...rest,
      source: withoutPassword(rest.source),
      configuration: {
        ...configuration,
        dataRate,
        clientDataRate: live === null ? configuration.clientDataRate : live.clientDataRate,
      },
      hasPassword: password !== null,
    },
    phase: ended?.phase ?? live?.phase ?? 'preparing',
    imageName,
    sizeBytes,
    blocks: Math.ceil(sizeBytes / blockBytes),
    preparing: ended === null && live === null ? { doneBytes, totalBytes } : null,
    interfaceName: entry.interface.name,
    address,
    fingerprint,
    locator,
    // An apostrophe would end what the shell takes as it is.
    command: `reprise restore --source '${locator.replaceAll("'", '%27')}' --target TARGET --erase`,
    createdMs,
    startedMs: live?.startedMs ?? null,
    endedMs: ended?.atMs ?? live?.endedMs ?? null,
    wanted: settings.start.clients,
    startsInMs: live?.startsInMs ?? null,
    allowedBytesPerSecond: live?.allowedBytesPerSecond ?? configuration.dataRate,
    sentBytesPerSecond: live?.sentBytesPerSecond ?? 0,
    sentBytes: live?.sentBytes ?? 0,
    lap: live?.lap ?? 0,
    position: live?.position ?? 0,
    repairSymbols: live?.repairSymbols ?? 0,
    clients: live?.clients ?? [],
    error: ended?.error ?? live?.error ?? null,
    warnings: [...entry.warnings, ...doubts, ...troubleOf(entry), ...(live?.warnings ?? [])],
  }
}

/**
 * All together go out in one message, so that there is a bound, in bytes: how much clients say of themselves is up to them. Clients of
 * sessions that are over are left out first, of the oldest first.
 */
export function withinBounds(states: readonly SessionState[]): readonly SessionState[] {
  let excessBytes = states.reduce((sum, state) => sum + jsonBytes(state), 0) - mostToldBytes
  if (excessBytes <= 0) return states
  const over = ({ phase }: SessionState) => Number(isSessionOver(phase))
  const byWorth = states.toSorted((a, b) => over(b) - over(a) || a.createdMs - b.createdMs)
  const kept = new Map<SessionState, readonly SessionClient[]>()
  for (const state of byWorth) {
    const clients = [...state.clients]
    while (excessBytes > 0 && clients.length > 0) excessBytes -= jsonBytes(clients.pop())
    kept.set(state, clients)
  }
  return states.map((state) => ({ ...state, clients: kept.get(state) ?? [] }))
}

/** With the comma before the next one. */
const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value)) + 1

/** Its source is on a web server that is away, and waited for. */
function troubleOf({ opened }: SessionEntry): readonly SerializedError[] {
  const trouble = opened?.trouble ?? null
  return trouble === null ? [] : [serializeError(trouble)]
}
