/**
 * The multicast server, as the command line and the window use it: sessions from their settings to their end. Looks at
 * everything that can stand against a session before anything is sent, reads its source, and hands it to the thread of its
 * port.
 */
import { tmpdir } from 'node:os'
import type { ReadNotice, StopWhen, ThreadData } from '#engine/multicast/orders'
import { startThread, type ThreadHandle } from '#engine/multicast/port'
import type { ManagementRight } from '#engine/multicast/sessions'
import { sendTestPacket } from '#engine/multicast/network'
import { orAborted } from '#engine/stream-connection'
import { AppError, serializeError, type SerializedError } from '#shared/errors'
import type { Logger } from '#shared/log'
import { composedName, type ClientChange, type SessionSettings, type SessionState } from '#shared/model'
import { checkRates, checkSettings, wrongSetting } from './check-settings.ts'
import { sweepImageFolders } from './image-folder.ts'
import { PortThreads } from './port-threads.ts'
import {
  examineSession,
  newEntry,
  prepareSession,
  type ExaminedSession,
  type ExamineDevice,
} from './prepare-session.ts'
import { serverIdentity, type ServerIdentity } from './server-identity.ts'
import {
  forgettable,
  giveBack,
  isOver,
  letGo,
  stateOf,
  withinBounds,
  type SessionEntry,
} from './session-entry.ts'
import { StateListeners } from './state-listeners.ts'

export interface StreamServerOptions {
  /** Where the server's key and the lists of hashes are kept. */
  readonly folder: string
  readonly log: Logger
  /** With it everything may be managed over the control connections; null: nothing but what a session's password opens. */
  readonly managementPassword?: string | null
  /** What a manager says, as JSON; resolves to the answer. Never rejects. */
  readonly onCommand?: (json: Uint8Array, right: ManagementRight) => Promise<Uint8Array>
  /** Absent: this server streams no devices. */
  readonly examineDevice?: ExamineDevice
  /** Where images of devices are made. Default: the system's folder for temporary files. */
  readonly temporaryFolder?: string
  /** Before each stream. Default: a real one. */
  readonly sendTestPacket?: typeof sendTestPacket
}

export interface StreamServer extends AsyncDisposable {
  /** SHA-256 of the certificate, 64 hex digits. */
  readonly fingerprint: string
  /**
   * Begin a session. Resolves when nothing stands against it: its source is read afterwards, in the phase `preparing`. Rejects with
   * UsageError (settings, source), NetworkError (E_MC_IFACE, E_MC_ADDR, E_MC_PORT), what opening an image throws, the
   * signal's reason.
   */
  start(settings: SessionSettings, signal?: AbortSignal): Promise<{ readonly sessionId: string }>
  /** These reject with UsageError E_USAGE where there is no such session or client. */
  startNow(sessionId: string): Promise<void>
  setRate(
    sessionId: string,
    rate: { readonly dataRate: number; readonly clientDataRate: number | null },
  ): Promise<void>
  /** Of an ended one: it is no longer told of. */
  stop(sessionId: string, when: StopWhen): Promise<void>
  disconnect(sessionId: string, clientId: string): Promise<void>
  /** What became of it, oldest first; nothing of a client that isn't known. Throws UsageError E_USAGE where there is no such session. */
  clientLog(sessionId: string, clientId: string): readonly ClientChange[]
  /** In which order clients without a wish are asked: these first, then the others as they are. */
  setPrecedence(sessionIds: readonly string[]): Promise<void>
  /** In order of precedence; ended ones until they are forgotten, by a `stop` or for a hundred that ended later. */
  states(): readonly SessionState[]
  /** Its own port, where others can't listen. */
  ownsPort(port: number): boolean
  /** Hears all states at each change, twice a second at most. */
  subscribe(listener: (states: readonly SessionState[]) => void): Disposable
}

/** Resolves when its key is there. Throws DeviceError when the folder can't be used. */
export async function createStreamServer(options: StreamServerOptions): Promise<StreamServer> {
  // Nobody waits for it.
  void sweepImageFolders(options.temporaryFolder ?? tmpdir(), options.log)
  return new Server(options, await serverIdentity(options.folder))
}

/** A read that takes longer waits for something that is worth a word. */
const slowMs = 2500

class Server implements StreamServer {
  readonly fingerprint: string
  readonly #options: StreamServerOptions
  readonly #identity: ServerIdentity
  readonly #entries = new Map<string, SessionEntry>()
  readonly #threads: PortThreads
  readonly #listeners = new StateListeners(() => this.states())
  #isClosed = false

  constructor(options: StreamServerOptions, identity: ServerIdentity) {
    this.#options = options
    this.#identity = identity
    this.fingerprint = Buffer.from(identity.fingerprint).toString('hex')
    this.#threads = new PortThreads((port) => this.#startThread(port))
  }

  async start(wanted: SessionSettings, signal?: AbortSignal): Promise<{ readonly sessionId: string }> {
    const settings = { ...wanted, name: composedName(wanted.name) }
    this.#refuse(settings)
    const abort = new AbortController()
    const either = signal === undefined ? abort.signal : AbortSignal.any([abort.signal, signal])
    const examined = await examineSession(settings, this.#options.examineDevice, either)
    // The port is taken before the source is read, which may take long.
    const { port } = settings.configuration
    const lease = await this.#threads.take(port)
    try {
      // Another of that name may have come meanwhile.
      this.#refuse(settings)
      signal?.throwIfAborted()
    } catch (error) {
      await lease.release()
      throw error
    }
    for (const old of forgettable(this.#entries.values())) this.#entries.delete(old.sessionId)
    const entry = newEntry(settings, examined, { abort, lease })
    const { sessionId } = entry
    this.#entries.set(sessionId, entry)
    entry.preparing = this.#prepare(entry, examined)
    this.#listeners.changed()
    return { sessionId }
  }

  async startNow(sessionId: string): Promise<void> {
    await (await this.#threadOf(sessionId)).order({ kind: 'start-now', sessionId })
  }

  async setRate(
    sessionId: string,
    { dataRate, clientDataRate }: { readonly dataRate: number; readonly clientDataRate: number | null },
  ): Promise<void> {
    checkRates({ dataRate, clientDataRate })
    await (await this.#threadOf(sessionId)).order({ kind: 'rate', sessionId, dataRate, clientDataRate })
  }

  async stop(sessionId: string, when: StopWhen): Promise<void> {
    const entry = this.#find(sessionId)
    if (isOver(entry)) this.#entries.delete(sessionId)
    else {
      if (!entry.isServed) {
        entry.abort.abort()
        await entry.preparing
      }
      const thread = entry.isServed ? await this.#threadOf(sessionId) : null
      await thread?.order({ kind: 'stop', sessionId, when, text: 'The session was stopped.' })
      // Whoever is told that it is over may start another one there, also in another process.
      await entry.leavingPort
    }
    this.#listeners.changed()
  }

  async disconnect(sessionId: string, clientId: string): Promise<void> {
    await (await this.#threadOf(sessionId)).order({ kind: 'disconnect', sessionId, clientId })
  }

  clientLog(sessionId: string, clientId: string): readonly ClientChange[] {
    return this.#find(sessionId).clientLog.of(clientId)
  }

  async setPrecedence(sessionIds: readonly string[]): Promise<void> {
    const first = sessionIds.map((sessionId) => this.#find(sessionId))
    const rest = [...this.#entries.values()].filter((entry) => !first.includes(entry))
    this.#entries.clear()
    for (const entry of [...first, ...rest]) this.#entries.set(entry.sessionId, entry)
    this.#listeners.changed()
    const threads = await Promise.all(this.#threads.all())
    const names = this.#precedence()
    await Promise.all(threads.map((thread) => thread.order({ kind: 'precedence', names })))
  }

  states(): readonly SessionState[] {
    return withinBounds([...this.#entries.values()].map((entry) => stateOf(entry, this.fingerprint)))
  }

  ownsPort(port: number): boolean {
    return this.#threads.has(port)
  }

  subscribe(listener: (states: readonly SessionState[]) => void): Disposable {
    return this.#listeners.add(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#listeners.hold()
    for (const { abort } of this.#entries.values()) abort.abort()
    await Promise.all([...this.#entries.values()].map(({ preparing }) => preparing))
    await this.#threads[Symbol.asyncDispose]()
    const { log } = this.#options
    await Promise.all([...this.#entries.values()].map((entry) => giveBack(entry, log)))
    this.#listeners.last()
  }

  /** Names in order. One that is over may have had the name of one that runs. */
  #precedence(): readonly string[] {
    return [...this.#entries.values()].filter((entry) => !isOver(entry)).map(({ settings }) => settings.name)
  }

  #refuse(settings: SessionSettings): void {
    if (this.#isClosed) throw wrongSetting('session', 'The server is being stopped.')
    const { name } = settings
    if (this.#entries.values().some((entry) => entry.settings.name === name && !isOver(entry)))
      throw wrongSetting(
        'name',
        `There is a session '${name}' on this server.`,
        'Choose another name, or stop that one.',
      )
    checkSettings(settings)
  }

  /** Never rejects: what goes wrong is the session's end. */
  async #prepare(entry: SessionEntry, examined: ExaminedSession): Promise<void> {
    const { settings, abort } = entry
    const { thread } = entry.lease
    const { folder, log } = this.#options
    const changed = () => this.#listeners.changed()
    // While the source is read, which mostly takes longer. What it says is known before anybody is let in.
    const tried = this.#tryNetwork(entry)
    try {
      await this.#tellPending(settings.configuration.port, thread)
      const session = await prepareSession(entry, examined, { folder, changed })
      await orAborted(tried, abort.signal)
      await thread.order({ kind: 'add', session, names: this.#precedence() })
      entry.isServed = true
    } catch (error) {
      const isStopped = abort.signal.aborted
      // Its thread may have ended before.
      entry.ended ??= {
        phase: isStopped ? 'ended' : 'failed',
        atMs: Date.now(),
        error: isStopped ? null : serializeError(error),
      }
      if (!isStopped) log.warn('a session failed', { session: settings.name, error: serializeError(error) })
    }
    if (entry.ended !== null) await giveBack(entry, log)
    // The thread reads files by itself.
    else if (entry.source?.bytes.kind !== 'web') await letGo(entry)
    changed()
    if (entry.ended === null) return
    await this.#tellPending(settings.configuration.port, thread)
    await this.#releasePort(entry)
  }

  /** Whoever comes for a session whose source is still being read waits. */
  async #tellPending(port: number, thread: ThreadHandle): Promise<void> {
    const isPending = ({ settings, ended, isServed }: SessionEntry) =>
      settings.configuration.port === port && ended === null && !isServed
    const sessions = [...this.#entries.values()]
      .filter(isPending)
      .map(({ settings: { name }, sessionId }) => ({ name, sessionId }))
    // A thread that is gone has taken its sessions along.
    await thread.order({ kind: 'pending', sessions }).catch((error: unknown) => AppError.accept(error))
  }

  /** Never rejects: a stream may reach others where its own packets don't come back, so this is a warning. */
  async #tryNetwork(entry: SessionEntry): Promise<void> {
    const { settings, interface: found, warnings, abort } = entry
    const { group, port, ttl } = settings.configuration
    const { address, name: interfaceName } = found
    const send = this.#options.sendTestPacket ?? sendTestPacket
    try {
      await send({ group, port, ttl, address, interfaceName }, abort.signal)
    } catch (error) {
      if (abort.signal.aborted) return
      AppError.accept(error)
      warnings.push(serializeError(error))
      this.#listeners.changed()
    }
  }

  #startThread(port: number): Promise<ThreadHandle> {
    const { key, certificate, fingerprint } = this.#identity
    const { managementPassword = null } = this.#options
    const data: ThreadData = { port, key, certificate, fingerprint, managementPassword }
    const thread = startThread(data, {
      hear: (notice) => this.#hear(thread, notice),
      gone: (error) => this.#threadGone(port, error),
    })
    return thread
  }

  /** Its session is over. The port is free again when its last session is. */
  async #releasePort(entry: SessionEntry): Promise<void> {
    if (this.#isClosed) return
    entry.leavingPort ??= entry.lease.release()
    await entry.leavingPort
  }

  #hear(
    thread: Promise<ThreadHandle>,
    notice: Parameters<Parameters<typeof startThread>[1]['hear']>[0],
  ): void {
    if (notice.kind === 'states') {
      for (const live of notice.states) {
        const entry = this.#entries.get(live.sessionId)
        if (entry === undefined) continue
        entry.live = live
        entry.clientLog.heard(live.clients, Date.now())
        if (!isOver(entry) || entry.givingBack !== null) continue
        void giveBack(entry, this.#options.log)
        void this.#releasePort(entry)
      }
      this.#listeners.changed()
    } else if (notice.kind === 'read') void this.#read(thread, notice)
    else if (notice.kind === 'log') this.#options.log[notice.level](notice.message, notice.fields)
    else void this.#command(thread, notice)
  }

  /** For the thread, which can't. */
  async #read(
    asking: Promise<ThreadHandle>,
    { id, sessionId, offset, lengthBytes }: ReadNotice,
  ): Promise<void> {
    const bytes = new Uint8Array(lengthBytes)
    const askedMs = performance.now()
    const opened = this.#entries.get(sessionId)?.opened ?? null
    let error: SerializedError | null = null
    const changed = () => this.#listeners.changed()
    const slow = setTimeout(changed, slowMs)
    try {
      if (opened === null) throw wrongSetting('sessionId', 'The session has ended.')
      await opened.read(bytes, offset)
    } catch (caught) {
      error = serializeError(caught)
    }
    clearTimeout(slow)
    if (performance.now() - askedMs >= slowMs) changed()
    const thread = await asking
    await thread
      .order({ kind: 'bytes', id, bytes: error === null ? bytes : null, error })
      .catch((gone: unknown) => AppError.accept(gone))
  }

  async #command(
    asking: Promise<ThreadHandle>,
    {
      connection,
      id,
      json,
      right,
    }: { connection: string; id: number; json: Uint8Array; right: ManagementRight },
  ): Promise<void> {
    const { onCommand } = this.#options
    const answer = (await onCommand?.(json, right)) ?? Buffer.from('null')
    const thread = await asking
    await thread
      .order({ kind: 'answer', connection, id, json: answer })
      .catch((error: unknown) => AppError.accept(error))
  }

  #threadGone(port: number, error: Error): void {
    this.#threads.gone(port)
    for (const entry of this.#entries.values())
      if (entry.settings.configuration.port === port && !isOver(entry)) {
        entry.ended = { phase: 'failed', atMs: Date.now(), error: serializeError(error) }
        // Who still prepares it gives it back.
        if (entry.isServed) void giveBack(entry, this.#options.log)
        else entry.abort.abort(error)
      }
    this.#options.log.error('the thread of a port ended', { port, error: serializeError(error) })
    this.#listeners.changed()
  }

  #find(sessionId: string): SessionEntry {
    const entry = this.#entries.get(sessionId)
    if (entry === undefined) throw wrongSetting('sessionId', 'There is no such session.')
    return entry
  }

  async #threadOf(sessionId: string): Promise<ThreadHandle> {
    const { settings, ended, isServed } = this.#find(sessionId)
    if (ended === null && !isServed)
      throw wrongSetting(
        'sessionId',
        'The session is still reading its source.',
        'Wait until it is ready; reprise session list says when.',
      )
    const thread = this.#threads.get(settings.configuration.port)
    if (thread === undefined || ended !== null) throw wrongSetting('sessionId', 'The session has ended.')
    return await thread
  }
}
