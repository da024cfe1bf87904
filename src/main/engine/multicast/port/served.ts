/** A session as its port's thread has it: opened, offered by the hub, and streamed until some moments after its end. */
import { randomBytes } from 'node:crypto'
import {
  closeBytes,
  openStreamBytes,
  type LiveState,
  type OpenBytes,
  type ServedSession,
} from '#engine/multicast/orders'
import type { Session } from '#engine/multicast/sessions'
import { datagramHeaderBytes, passwordKey, type Message } from '#engine/multicast/wire'
import { serializeError, type SerializedError } from '#shared/errors'
import { mostClients, parseAdmissionRule } from '#shared/model'
import type { AnswerRoom } from './answer-room.ts'
import { GroupSender } from './group-sender.ts'
import { addressNow, openSendingSocket } from './open-socket.ts'
import type { RemoteReads } from './remote-reads.ts'
import { SessionStream } from './session-stream.ts'

export interface Served {
  readonly session: ServedSession
  readonly stream: SessionStream
  readonly bytes: OpenBytes
  phase: 'open' | 'ended' | 'failed'
  endsWhenFinished: boolean
  /** By the clock people have; null: it hasn't ended. */
  endedMs: number | null
  /** When its word that it is over was repeated long enough, by the loop's clock. */
  silentMs: number
  /** It is closed. */
  isSilent: boolean
  error: SerializedError | null
}

export interface ServedParts {
  /** 16 bytes: the hub's. */
  readonly salt: Uint8Array
  readonly remote: RemoteReads
  readonly room: AnswerRoom
  /** Something can be sent that couldn't before. */
  readonly wake: () => void
  /** Its source can't be read any more. */
  readonly broken: (served: Served, error: unknown) => void
}

/** After the end, its word is repeated for those who missed it. */
const farewellMs = 2500

/**
 * Opens what is streamed and where to, and makes of it what the hub offers. Throws UsageError (a rule of admission), NetworkError
 * E_MC_IFACE, what opening the source throws; then nothing is open.
 */
export async function openServed(
  session: ServedSession,
  { salt, remote, room, wake, broken }: ServedParts,
): Promise<{ readonly served: Served; readonly offer: Session }> {
  const { sessionId, settings, bytes: where } = session
  const { group, port, ttl } = settings.configuration
  const admission = settings.admission.map((rule) => parseAdmissionRule(rule))
  const secret = settings.password === null ? null : await passwordKey(settings.password, salt)
  await using opened = new AsyncDisposableStack()
  const bytes = opened.use(where.kind === 'web' ? remote.open(sessionId) : await openStreamBytes(where))
  const datagramBytes = datagramHeaderBytes + session.symbolBytes
  const openSocket = (address: string) => openSendingSocket({ group, port, ttl, address, datagramBytes })
  const sender = new GroupSender({
    // It may have been prepared for hours.
    opened: await openSocket(await addressNow(session.interface)),
    reopen: async () => openSocket(await addressNow(session.interface)),
    datagramBytes,
    group,
    interfaceName: session.interface.name,
  })
  opened.defer(() => sender.close())
  const key = randomBytes(16)
  const tag = randomBytes(4).readUInt32BE()
  const stream = new SessionStream(session, {
    group: sender,
    key,
    tag,
    read: (into, offset) => bytes.read(into, offset),
    room,
    wake,
    broken: (error) => broken(served, error),
  })
  const served: Served = {
    session,
    bytes,
    stream,
    phase: 'open',
    endsWhenFinished: false,
    endedMs: null,
    silentMs: Infinity,
    isSilent: false,
    error: null,
  }
  const { hashes } = session
  const offer: Session = {
    facts: factsOf(session, { key, tag }),
    sender: stream.sender,
    hashesFrom: (first, most) => hashes.subarray(first * 32, (first + most) * 32),
    blocks: stream.layout.blocks,
    startRule: settings.start,
    admission,
    passwordKey: secret,
    mostClients,
    whenFinished: settings.whenFinished,
  }
  opened.move()
  return { served, offer }
}

/** It is over: nobody joins any more, and its end is told by multicast for some moments. */
export function endServed(served: Served, phase: 'ended' | 'failed', nowMs: number): void {
  served.phase = phase
  served.endedMs = Date.now()
  served.silentMs = nowMs + farewellMs
}

/** Nothing is sent or read any more. */
export async function closeServed(served: Served): Promise<void> {
  if (served.isSilent) return
  served.isSilent = true
  served.stream.close()
  await closeBytes(served.bytes)
}

function factsOf(
  { sessionId, settings, bytes, blockBytes, symbolBytes, imageName, imageFormat, root }: ServedSession,
  { key, tag }: { readonly key: Uint8Array; readonly tag: number },
): Message<'session'> {
  const { group, port, dataRate } = settings.configuration
  return {
    kind: 'session',
    sessionId: Buffer.from(sessionId, 'hex'),
    key,
    tag,
    name: settings.name,
    imageName,
    imageFormat,
    sizeBytes: bytes.sizeBytes,
    blockBytes,
    symbolBytes,
    root,
    group,
    port,
    dataRate: Math.round(dataRate),
    reportEveryMs: 250,
  }
}

/** What is told of it. `startsInMs`: until it starts at the latest; null: nothing is set that would. */
export function liveStateOf(served: Served, startsInMs: number | null, nowMs: number): LiveState {
  const { session, stream, phase, endedMs, error } = served
  const { sender } = stream
  const { state } = sender
  return {
    sessionId: session.sessionId,
    address: stream.address,
    phase: phase === 'open' ? state : phase,
    startedMs: stream.startedMs,
    endedMs,
    wanted: session.settings.start.clients,
    startsInMs,
    dataRate: stream.dataRate,
    clientDataRate: stream.clientDataRate,
    allowedBytesPerSecond: Math.round(sender.rate),
    sentBytesPerSecond: stream.sentBytesPerSecond(nowMs),
    sentBytes: stream.sentBytes,
    lap: stream.lap,
    position: stream.position,
    repairSymbols: stream.repairSymbols,
    clients: stream.roster.list(sender.clients(), { stream: state, nowMs, toDate: Date.now() }),
    error,
    warnings: phase === 'open' ? stream.warnings.map((warning) => serializeError(warning)) : [],
  }
}
