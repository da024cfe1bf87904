/**
 * A multicast as everyone sees it: what a session is started with, what it is at a moment, what a client is told. Plain data;
 * sizes in bytes, rates in bytes a second, times in ms.
 */
import type { SerializedError } from '#shared/errors'

/** asr's configuration of a stream, as asr(8) names it, in our units. */
export interface ServerConfiguration {
  /** `Data Rate`: bytes a second on the network, headers included; never exceeded. */
  readonly dataRate: number
  /** `Multicast Address`: 224.0.2.0 to 239.255.255.255. */
  readonly group: string
  /** `Client Data Rate`: the stream slows down to the slowest writer, but not below this. Null: it doesn't. */
  readonly clientDataRate: number | null
  /** `DNS Service Discovery`. Default true. */
  readonly advertise: boolean
  /** `Loop Suspend`: the stream rests after so many laps that nobody needed. 0 (default): never; 1 is warned of. */
  readonly loopSuspend: number
  /** `Multicast TTL`: 1 to 255, default 3; 1 never leaves the subnet. */
  readonly ttl: number
  /** `Port`: TCP of the control connection and UDP of the stream. Default 7800. */
  readonly port: number
}

/** How a device of the server's own is stored in the stream. */
export type StreamCompression = 'none' | 'speed' | 'balanced' | 'size'

/** Clients of one session at once, at most. */
export const mostClients = 4096

/**
 * What a session's numbers may be, both ends included: rates in bytes a second, `Loop Suspend` in laps. The same for the window, the
 * command line, configurations and managers. A stream slower than the least would take weeks, faster than the most no network is.
 */
export const settingBounds = {
  dataRate: { least: 10_000, most: 10_000_000_000 },
  clientDataRate: { least: 1, most: 10_000_000_000 },
  loopSuspend: { least: 0, most: 1_000_000 },
  ttl: { least: 1, most: 255 },
  port: { least: 1, most: 65_535 },
  /** A week: what clients are told of the wait, in ms, has 32 bits. */
  minutesAfterLastJoin: { least: 1, most: 10_080 },
} as const

/** What a session is started with. */
export interface SessionSettings {
  /** Locator on the server's machine: an image's path, an address of the web, a device or a volume. */
  readonly source: string
  /** Of a device or a volume; null of an image, which is sent as it is. */
  readonly compression: StreamCompression | null
  /** See `longestSessionName`; one of its kind on the server, which composes it. */
  readonly name: string
  readonly configuration: ServerConfiguration
  /** Name or address of the interface; null: that of the default route. */
  readonly interface: string | null
  readonly start: {
    /** As soon as so many have joined, `mostClients` at most; null: their number doesn't start it. */
    readonly clients: number | null
    /** So long after the last one joined; null: time doesn't start it. Both null: by hand. */
    readonly afterLastJoinMs: number | null
  }
  /** Rules of admission in order, as `parseAdmissionRule` reads them; none: everyone. */
  readonly admission: readonly string[]
  readonly password: string | null
  /** `ends`: when everyone who joined has finished. */
  readonly whenFinished: 'stays' | 'ends'
  /** Slow down where the stream hurts the network. */
  readonly considerate: 'on' | 'off'
  /** `one-way`: no word comes back from clients, so everything is sent lap after lap. */
  readonly feedback: 'demand' | 'one-way'
}

export type SessionPhase = 'preparing' | 'waiting' | 'streaming' | 'quiet' | 'ended' | 'failed'

/** It ended or failed: nothing more comes of it. */
export const isSessionOver = (phase: SessionPhase): boolean => phase === 'ended' || phase === 'failed'

/**
 * `missing`: the stream has nothing new for it, and it still lacks something; `cancelled`: it was stopped where it runs;
 * `disconnected`: the administrator sent it away; `lost`: no word for five seconds.
 */
export const clientStates = [
  'joined',
  'receiving',
  'missing',
  'verifying',
  'done',
  'failed',
  'cancelled',
  'disconnected',
  'lost',
] as const

/** One client, as its session's server knows it. */
export interface SessionClient {
  readonly clientId: string
  readonly host: string
  readonly address: string
  readonly state: (typeof clientStates)[number]
  readonly standing: 'well' | 'slow'
  readonly blocksDone: number
  /** Of what was sent lately, 0 to 1. */
  readonly loss: number
  readonly writeBytesPerSecond: number
  readonly lastSeenMs: number
  /** In its own words, when it failed; otherwise empty. */
  readonly text: string
}

/** How a client stood from a moment on, until the next one of these. */
export interface ClientChange extends Pick<SessionClient, 'state' | 'standing'> {
  readonly atMs: number
  /** Whole percent. */
  readonly lossPercent: number
}

/**
 * Its disk is as it was: a client writes nothing before its first block has come, and a stream that waits for its start sends none. Who
 * goes on where it was interrupted has blocks already, and a disk that is incomplete from before.
 */
export const isUntouched = (
  { state, blocksDone }: Pick<SessionClient, 'state' | 'blocksDone'>,
  phase: SessionPhase,
): boolean => blocksDone === 0 && (state === 'joined' || (state === 'lost' && phase === 'waiting'))

/** Something is still to come for it: a stop now would leave its disk incomplete or as it was, or to verify itself. */
export const isUnfinished = ({ state }: Pick<SessionClient, 'state'>): boolean =>
  state === 'receiving' ||
  state === 'missing' ||
  state === 'verifying' ||
  state === 'joined' ||
  state === 'lost'

/** A session at a moment, sent whole twice a second. */
export interface SessionState {
  /** 32 hex digits. */
  readonly sessionId: string
  readonly settings: Omit<SessionSettings, 'password'> & { readonly hasPassword: boolean }
  readonly phase: SessionPhase
  readonly imageName: string
  readonly sizeBytes: number
  readonly blocks: number
  /** While `preparing`: how far its source was read. */
  readonly preparing: { readonly doneBytes: number; readonly totalBytes: number } | null
  /** The interface it is sent on. */
  readonly interfaceName: string
  readonly address: string
  /** SHA-256 of the server's certificate, 64 hex digits. */
  readonly fingerprint: string
  /** The whole `asr://` address for clients, and the command that they type. */
  readonly locator: string
  readonly command: string
  readonly createdMs: number
  /** When the first of the image was sent, and when the stream ended. */
  readonly startedMs: number | null
  readonly endedMs: number | null
  readonly wanted: number | null
  readonly startsInMs: number | null
  /** What it may send now: the Data Rate, or less where it is considerate. */
  readonly allowedBytesPerSecond: number
  /** What it sent in the last second. */
  readonly sentBytesPerSecond: number
  readonly sentBytes: number
  /** Walks over the whole image, begun; and where in it the stream is, 0 to 1. */
  readonly lap: number
  readonly position: number
  /** Symbols sent beyond the image's own. */
  readonly repairSymbols: number
  readonly clients: readonly SessionClient[]
  /** Why it failed, or what should be known of it. */
  readonly error: SerializedError | null
  readonly warnings: readonly SerializedError[]
}

/**
 * It has begun, and nothing of the image was sent yet, though somebody lacks all of it: who joined gets ready. It is quiet as it is when
 * nobody lacks anything, and isn't the same to those who look on. What it tells of itself is sent, and counted, from the beginning.
 */
export const isStarting = ({
  phase,
  startedMs,
  clients,
}: Pick<SessionState, 'phase' | 'startedMs' | 'clients'>): boolean =>
  phase === 'quiet' &&
  startedMs === null &&
  clients.some(({ state }) => state === 'joined' || state === 'receiving' || state === 'missing')

/** Nobody lacks anything, or nobody is there: it may be so for days. */
export const isResting = (session: Pick<SessionState, 'phase' | 'startedMs' | 'clients'>): boolean =>
  session.phase === 'quiet' && !isStarting(session)

/** Nobody who joined is at it any more, and not only because people stopped them all. */
export const allEnded = ({ clients }: Pick<SessionState, 'clients'>): boolean =>
  clients.some(({ state }) => state === 'done' || state === 'failed') && !clients.some(isUnfinished)

/** A network interface a stream can be sent on. */
export interface NetworkInterface {
  readonly name: string
  /** IPv4. */
  readonly address: string
  readonly mtu: number
  /** Null where the system doesn't say. */
  readonly linkBitsPerSecond: number | null
  readonly isDefault: boolean
  readonly isUp: boolean
}

/** One line of a check before a stream starts. */
export interface NetworkCheck {
  readonly step: 'source' | 'interface' | 'address' | 'port' | 'rate' | 'ttl' | 'loopback'
  readonly state: 'ok' | 'warning' | 'failed'
  /** Null when all is well. */
  readonly error: SerializedError | null
}

/** A stream that announces itself on the network. */
export interface FoundStream {
  /** Its name there: unique. */
  readonly name: string
  readonly host: string
  readonly address: string
  readonly port: number
  readonly session: string
  readonly imageName: string
  readonly sizeBytes: number | null
  readonly fingerprint: string | null
  /** Its whole `asr://` address. */
  readonly locator: string
}

/** What a client knows of the stream it restores from; part of a `SourceInfo`. */
export interface StreamInfo {
  readonly session: string
  readonly imageName: string
  readonly imageFormat: string
  /** Of the stream: of the image's file. */
  readonly streamBytes: number
  /** Hex. */
  readonly fingerprint: string
  /** The locator held the fingerprint, so who the server is was checked. */
  readonly pinned: boolean
}

/** How far receiving is, beside the bytes of `JobProgress`. */
export interface StreamProgress {
  /** `fetching`: no datagram comes, so blocks come over the control connection. */
  readonly state: 'connecting' | 'waiting' | 'receiving' | 'fetching'
  /** While it waits for its start. */
  readonly waiting: {
    readonly joined: number
    readonly wanted: number | null
    readonly startsInMs: number | null
  } | null
  /**
   * One string a pass, newest last, at most 20: a mark for each fiftieth of the image, `.` received, `x` missed in this pass,
   * `-` part of it received so far, space: the pass isn't there yet.
   */
  readonly passes: readonly string[]
  /** The fiftieth that passes begin with: where the stream was when we came. Null until something of it came. */
  readonly passStart: number | null
  /** 0: of a stream that was there, and can't be joined at the moment. */
  readonly blocks: number
  readonly missingBlocks: number
  readonly receivedBytesPerSecond: number
  /** Of what was sent lately, 0 to 1. */
  readonly loss: number
  /** As the server says. `slow`: it loses far more than the others, and gets what it lacks when they need nothing. */
  readonly standing: SessionClient['standing']
  /** Why blocks are fetched: E_MC_SILENT, with the group and the interface. Null as long as multicast arrives. */
  readonly silence: SerializedError | null
}
