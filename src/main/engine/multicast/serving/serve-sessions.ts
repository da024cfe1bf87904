/**
 * A multicast server with all that makes it one: it can be managed with its password, the command line of this machine finds
 * it, and its streams are told to their networks.
 */
import { createAdvertiser, type Advertisement, type Advertiser } from '#engine/multicast/discovery'
import {
  announceServer,
  answerCommand,
  managementPassword,
  type ManagedServer,
} from '#engine/multicast/management'
import { createStreamServer, type StreamServer, type StreamServerOptions } from '#engine/multicast/server'
import type { KeepAwake } from '#engine/platform'
import { isSessionOver, type SessionState } from '#shared/model'
import { holdWhile } from './hold-while.ts'
import { createSessionLog } from './session-log.ts'

export interface ServeOptions extends Pick<StreamServerOptions, 'folder' | 'log' | 'examineDevice'> {
  /** Held while there is a session that isn't over. */
  readonly keepAwake: KeepAwake
  /** For tests: how streams are told of. */
  readonly advertiser?: Advertiser
}

/** Throws what `createStreamServer` throws, and DeviceError when the management password can't be read. */
export async function serveSessions({
  advertiser,
  keepAwake,
  ...options
}: ServeOptions): Promise<StreamServer> {
  const { folder, log } = options
  const server: StreamServer = await createStreamServer({
    ...options,
    managementPassword: await managementPassword(folder),
    onCommand: (json, right) => answerCommand(managed, right, json),
  })
  const managed: ManagedServer = {
    sessions: () => server.states(),
    startSession: (settings) => server.start(settings),
    stopSession: (sessionId, when) => server.stop(sessionId, when),
    startNow: (sessionId) => server.startNow(sessionId),
    setRate: (sessionId, rate) => server.setRate(sessionId, rate),
    setPrecedence: (sessionIds) => server.setPrecedence(sessionIds),
  }
  const telling = advertiser ?? createAdvertiser()
  const ports = watchPorts(folder, server.fingerprint)
  const logChanges = createSessionLog(log)
  const awake = holdWhile(keepAwake)
  const watching = server.subscribe((sessions) => {
    logChanges(sessions)
    awake.set(sessions.some(isAlive))
    telling.set(sessions.filter(isOffered).map(advertisementOf))
    ports.set(new Set(sessions.filter(isAlive).map(({ settings }) => settings.configuration.port)))
  })
  return {
    fingerprint: server.fingerprint,
    start: (settings, signal) => server.start(settings, signal),
    startNow: (sessionId) => server.startNow(sessionId),
    setRate: (sessionId, rate) => server.setRate(sessionId, rate),
    stop: (sessionId, when) => server.stop(sessionId, when),
    disconnect: (sessionId, clientId) => server.disconnect(sessionId, clientId),
    clientLog: (sessionId, clientId) => server.clientLog(sessionId, clientId),
    setPrecedence: (sessionIds) => server.setPrecedence(sessionIds),
    states: () => server.states(),
    ownsPort: (port) => server.ownsPort(port),
    subscribe: (listener) => server.subscribe(listener),
    async [Symbol.asyncDispose]() {
      using _ = awake
      watching[Symbol.dispose]()
      ports.set(new Set())
      // Nobody new is to be sent here while those who are here are told.
      await Promise.all([
        telling[Symbol.asyncDispose](),
        server[Symbol.asyncDispose](),
        ports[Symbol.asyncDispose](),
      ])
    },
  }
}

const isAlive = ({ phase }: SessionState): boolean => !isSessionOver(phase)

/** Clients may come: while it is prepared, they may not. */
const isOffered = (session: SessionState): boolean =>
  isAlive(session) && session.phase !== 'preparing' && session.settings.configuration.advertise

function advertisementOf(session: SessionState): Advertisement {
  const { settings, imageName, sizeBytes, fingerprint, address } = session
  return {
    session: settings.name,
    imageName,
    sizeBytes,
    fingerprint,
    address,
    port: settings.configuration.port,
  }
}

/** A word in the data folder for each port that sessions are managed on. */
function watchPorts(folder: string, fingerprint: string) {
  const told = new Map<number, Promise<AsyncDisposable>>()
  const ending: Promise<void>[] = []
  return {
    set(ports: ReadonlySet<number>): void {
      for (const port of ports)
        if (!told.has(port))
          told.set(port, announceServer(folder, { address: '127.0.0.1', port, fingerprint }))
      for (const [port, word] of told)
        if (!ports.has(port)) {
          told.delete(port)
          ending.push(word.then((each) => each[Symbol.asyncDispose]()))
        }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(ending)
    },
  }
}
