/**
 * The multicast server, as the command line and the window use it: sessions from their settings to their end. Looks at
 * everything that can stand against a session before anything is sent, reads its source, and hands it to the thread of its
 * port.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { ManagementRight } from '#engine/multicast/sessions'
import { checkGroup, findInterface, sendTestPacket } from '#engine/multicast/network'
import { parseAdmissionRule } from '#engine/multicast/sessions'
import { AppError, invariant, serializeError, UsageError, type SerializedError } from '#shared/errors'
import type { Logger } from '#shared/log'
import {
  formatStreamLocator,
  withoutPassword,
  type NetworkInterface,
  type SessionSettings,
  type SessionState,
} from '#shared/model'
import { hashStream } from './block-hashes.ts'
import { openStreamBytes, type OpenBytes } from './open-bytes.ts'
import type { LiveState, ReadNotice, StopWhen, ThreadData } from './orders.ts'
import { PortThreads } from './port-threads.ts'
import { serverIdentity, type ServerIdentity } from './server-identity.ts'
import { examineImage, type PreparedSource, type StreamSource } from './stream-source.ts'
import { blockBytesForStream, symbolBytesFor } from './symbol-size.ts'
import { startThread, type ThreadHandle } from './thread-handle.ts'

export interface StreamServerOptions {
  /** Where the server's key and the lists of hashes are kept. */
  readonly folder: string
  readonly log: Logger
  /** With it everything may be managed over the control connections; null: nothing but what a session's password opens. */
  readonly managementPassword?: string | null
  /** What a manager says, as JSON; resolves to the answer. Never rejects. */
  readonly onCommand?: (json: Uint8Array, right: ManagementRight) => Promise<Uint8Array>
  /** What is streamed for a source that is no image: a device. Null: this server knows none. */
  readonly examineDevice?: (settings: SessionSettings, signal: AbortSignal) => Promise<PreparedSource | null>
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
  /** In which order clients without a wish are asked: these first, then the others as they are. */
  setPrecedence(sessionIds: readonly string[]): Promise<void>
  /** In order of precedence; ended ones until they are forgotten. */
  states(): readonly SessionState[]
  /** Its own port, where others can't listen. */
  ownsPort(port: number): boolean
  /** Hears all states at each change, twice a second at most. */
  subscribe(listener: (states: readonly SessionState[]) => void): Disposable
}

interface Entry {
  readonly sessionId: string
  readonly settings: SessionSettings
  readonly interface: NetworkInterface
  readonly createdMs: number
  /** Null until it is prepared, where that takes more than reading it. */
  source: StreamSource | null
  readonly imageName: string
  sizeBytes: number
  blockBytes: number
  readonly abort: AbortController
  /** What is streamed, while this thread reads it. */
  opened: OpenBytes | null
  /** What should be known, and stops nothing. */
  readonly warnings: SerializedError[]
  doneBytes: number
  totalBytes: number
  /** What was opened and taken is being given back. */
  /** Counted as one who uses its port. */
  hasPort: boolean
  /** The thread has it. */
  isServed: boolean
  givingBack: Promise<void> | null
  /** Null while it is prepared, and when it never got further. */
  live: LiveState | null
  ended: {
    readonly phase: 'ended' | 'failed'
    readonly atMs: number
    readonly error: SerializedError | null
  } | null
  preparing: Promise<void>
}

/** Resolves when its key is there. Throws DeviceError when the folder can't be used. */
export async function createStreamServer(options: StreamServerOptions): Promise<StreamServer> {
  return new Server(options, await serverIdentity(options.folder))
}

const tellMs = 500
const farewellMs = 3000

class Server implements StreamServer {
  readonly fingerprint: string
  readonly #options: StreamServerOptions
  readonly #identity: ServerIdentity
  readonly #entries = new Map<string, Entry>()
  readonly #threads: PortThreads
  readonly #listeners = new Set<(states: readonly SessionState[]) => void>()
  #timer: NodeJS.Timeout | null = null
  #isClosed = false

  constructor(options: StreamServerOptions, identity: ServerIdentity) {
    this.#options = options
    this.#identity = identity
    this.fingerprint = Buffer.from(identity.fingerprint).toString('hex')
    this.#threads = new PortThreads((port) => this.#startThread(port))
  }

  async start(settings: SessionSettings, signal?: AbortSignal): Promise<{ readonly sessionId: string }> {
    this.#refuseSettings(settings)
    const found = await findInterface(settings.interface)
    const abort = new AbortController()
    const either = signal === undefined ? abort.signal : AbortSignal.any([abort.signal, signal])
    const device = (await this.#options.examineDevice?.(settings, either)) ?? null
    const source = device === null ? await examineImage(settings.source, either) : null
    const { imageName } = source ?? device ?? { imageName: '' }
    const sizeBytes = source?.bytes.sizeBytes ?? device?.sizeBytes ?? 0
    const symbolBytes = symbolBytesFor(found.mtu)
    const blockBytes = blocksOf(settings, sizeBytes, symbolBytes)
    // The port is taken before the source is read, which may take long.
    const { port } = settings.configuration
    const thread = await this.#threads.take(port)
    try {
      // Another of that name may have come meanwhile.
      this.#refuseSettings(settings)
      signal?.throwIfAborted()
    } catch (error) {
      await this.#threads.release(port)
      throw error
    }
    const sessionId = randomBytes(16).toString('hex')
    const entry: Entry = {
      sessionId,
      settings,
      interface: found,
      createdMs: Date.now(),
      source,
      imageName,
      sizeBytes,
      blockBytes,
      abort,
      opened: null,
      warnings: [],
      doneBytes: 0,
      totalBytes: sizeBytes,
      givingBack: null,
      hasPort: true,
      isServed: false,
      live: null,
      ended: null,
      preparing: Promise.resolve(),
    }
    this.#entries.set(sessionId, entry)
    entry.preparing = this.#prepare(entry, device, thread, symbolBytes)
    void this.#tryNetwork(entry)
    this.#changed()
    return { sessionId }
  }

  async startNow(sessionId: string): Promise<void> {
    await (await this.#threadOf(sessionId)).order({ kind: 'start-now', sessionId })
  }

  async setRate(
    sessionId: string,
    { dataRate, clientDataRate }: { readonly dataRate: number; readonly clientDataRate: number | null },
  ): Promise<void> {
    refuseRate(dataRate)
    await (await this.#threadOf(sessionId)).order({ kind: 'rate', sessionId, dataRate, clientDataRate })
  }

  async stop(sessionId: string, when: StopWhen): Promise<void> {
    const entry = this.#find(sessionId)
    if (entry.ended !== null || isOver(entry.live)) this.#entries.delete(sessionId)
    else {
      if (!entry.isServed) {
        entry.abort.abort()
        await entry.preparing
      }
      const thread = entry.isServed ? await this.#threadOf(sessionId) : null
      await thread?.order({ kind: 'stop', sessionId, when, text: 'The session was stopped.' })
    }
    this.#changed()
  }

  async disconnect(sessionId: string, clientId: string): Promise<void> {
    await (await this.#threadOf(sessionId)).order({ kind: 'disconnect', sessionId, clientId })
  }

  async setPrecedence(sessionIds: readonly string[]): Promise<void> {
    const first = sessionIds.map((sessionId) => this.#find(sessionId))
    const rest = [...this.#entries.values()].filter((entry) => !first.includes(entry))
    this.#entries.clear()
    for (const entry of [...first, ...rest]) this.#entries.set(entry.sessionId, entry)
    this.#changed()
    const names = [...this.#entries.values()].map(({ settings }) => settings.name)
    const threads = await Promise.all(this.#threads.all())
    await Promise.all(threads.map((thread) => thread.order({ kind: 'precedence', names })))
  }

  states(): readonly SessionState[] {
    return [...this.#entries.values()].map((entry) => this.#stateOf(entry))
  }

  ownsPort(port: number): boolean {
    return this.#threads.has(port)
  }

  subscribe(listener: (states: readonly SessionState[]) => void): Disposable {
    this.#listeners.add(listener)
    listener(this.states())
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    for (const { abort } of this.#entries.values()) abort.abort()
    await Promise.all([...this.#entries.values()].map(({ preparing }) => preparing))
    await this.#threads[Symbol.asyncDispose]()
    await Promise.all([...this.#entries.values()].map((entry) => this.#giveBack(entry)))
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#tell()
  }

  /** Settings that can't be, each with its own words. */
  #refuseSettings({ name, admission, configuration }: SessionSettings): void {
    if (this.#isClosed) throw wrong('session', 'The server is being stopped.')
    if (!/^[^\p{Cc}\p{Cf}]{1,63}$/u.test(name))
      throw wrong('name', "A session's name has 1 to 63 characters.", 'Choose another name.')
    const isTaken = this.#entries
      .values()
      .some((entry) => entry.settings.name === name && entry.ended === null && !isOver(entry.live))
    if (isTaken)
      throw wrong(
        'name',
        `There is a session '${name}' on this server.`,
        'Choose another name, or stop that one.',
      )
    for (const rule of admission) parseAdmissionRule(rule)
    refuseRate(configuration.dataRate)
    checkGroup(configuration.group)
  }

  /** Never rejects: what goes wrong is the session's end. */
  async #prepare(
    entry: Entry,
    device: PreparedSource | null,
    thread: ThreadHandle,
    symbolBytes: number,
  ): Promise<void> {
    const { sessionId, settings, abort } = entry
    try {
      const source = entry.source ?? (await this.#make(entry, device, symbolBytes))
      const { blockBytes } = entry
      const opened = await openStreamBytes(source.bytes)
      entry.opened = opened
      const { hashes, root } = await hashStream(source, opened, {
        folder: join(this.#options.folder, 'hashes'),
        blockBytes,
        signal: abort.signal,
        progress: (doneBytes) => {
          entry.doneBytes = doneBytes
          this.#changed()
        },
      })
      abort.signal.throwIfAborted()
      const { bytes, imageName, imageFormat } = source
      await thread.order({
        kind: 'add',
        session: {
          sessionId,
          settings,
          imageName,
          imageFormat,
          bytes,
          blockBytes,
          symbolBytes,
          root,
          hashes,
          interface: entry.interface,
        },
      })
      entry.isServed = true
    } catch (error) {
      const isStopped = abort.signal.aborted
      entry.ended = {
        phase: isStopped ? 'ended' : 'failed',
        atMs: Date.now(),
        error: isStopped ? null : serializeError(error),
      }
      if (!isStopped)
        this.#options.log.warn('a session failed', { session: settings.name, error: serializeError(error) })
    }
    if (entry.ended !== null) await this.#giveBack(entry)
    // The thread reads files by itself.
    else if (entry.source?.bytes.kind !== 'web') await letGo(entry)
    this.#changed()
    if (entry.ended !== null) await this.#releasePort(entry)
  }

  /** What is streamed of a device; from then on its size is known. */
  async #make(entry: Entry, device: PreparedSource | null, symbolBytes: number): Promise<StreamSource> {
    invariant(device !== null, 'a session without a source')
    const source = await device.prepare({
      signal: entry.abort.signal,
      progress: (doneBytes, totalBytes) => {
        entry.doneBytes = doneBytes
        entry.totalBytes = totalBytes
        this.#changed()
      },
    })
    entry.source = source
    const { sizeBytes } = source.bytes
    entry.blockBytes = blocksOf(entry.settings, sizeBytes, symbolBytes)
    entry.sizeBytes = sizeBytes
    entry.doneBytes = 0
    entry.totalBytes = sizeBytes
    return source
  }

  /** When a session is over. */
  #giveBack(entry: Entry): Promise<void> {
    entry.givingBack ??= (async () => {
      await letGo(entry)
      await entry.source?.release?.().catch((error: unknown) => {
        this.#options.log.warn('a source was not given back', {
          session: entry.settings.name,
          error: serializeError(error),
        })
      })
    })()
    return entry.givingBack
  }

  /** A stream may reach others where its own packets don't come back, so this stops nothing. */
  async #tryNetwork({ settings, interface: { address, name }, warnings }: Entry): Promise<void> {
    const { group, port, ttl } = settings.configuration
    try {
      await sendTestPacket({ group, port, ttl, address, interfaceName: name })
    } catch (error) {
      AppError.accept(error)
      warnings.push(serializeError(error))
      this.#changed()
    }
  }

  #startThread(port: number): Promise<ThreadHandle> {
    const { key, certificate, fingerprint } = this.#identity
    const { managementPassword = null } = this.#options
    const data: ThreadData = { port, key, certificate, fingerprint, managementPassword }
    return startThread(data, {
      hear: (notice) => this.#hear(port, notice),
      gone: (error) => this.#threadGone(port, error),
    })
  }

  /** Its session is over. The port is free again when its last session is. */
  async #releasePort(entry: Entry): Promise<void> {
    if (!entry.hasPort || this.#isClosed) return
    entry.hasPort = false
    await this.#threads.release(entry.settings.configuration.port)
  }

  #hear(port: number, notice: Parameters<Parameters<typeof startThread>[1]['hear']>[0]): void {
    if (notice.kind === 'states') {
      for (const live of notice.states) {
        const entry = this.#entries.get(live.sessionId)
        if (entry === undefined) continue
        entry.live = live
        if (!isOver(live) || entry.givingBack !== null) continue
        void this.#giveBack(entry)
        // The word that it is over is repeated for a while.
        setTimeout(() => void this.#releasePort(entry), farewellMs).unref()
      }
      this.#changed()
    } else if (notice.kind === 'read') void this.#read(port, notice)
    else if (notice.kind === 'log') this.#options.log[notice.level](notice.message, notice.fields)
    else void this.#command(port, notice)
  }

  /** For the thread, which can't. */
  async #read(port: number, { id, sessionId, offset, lengthBytes }: ReadNotice): Promise<void> {
    const bytes = new Uint8Array(lengthBytes)
    const opened = this.#entries.get(sessionId)?.opened ?? null
    let error: SerializedError | null = null
    try {
      if (opened === null) throw wrong('sessionId', 'The session has ended.')
      await opened.read(bytes, offset)
    } catch (caught) {
      error = serializeError(caught)
    }
    const thread = await this.#threads.get(port)
    await thread
      ?.order({ kind: 'bytes', id, bytes: error === null ? bytes : null, error })
      .catch((gone: unknown) => AppError.accept(gone))
  }

  async #command(
    port: number,
    {
      connection,
      id,
      json,
      right,
    }: { connection: string; id: number; json: Uint8Array; right: ManagementRight },
  ): Promise<void> {
    const { onCommand } = this.#options
    const answer = (await onCommand?.(json, right)) ?? Buffer.from('null')
    const thread = await this.#threads.get(port)
    await thread
      ?.order({ kind: 'answer', connection, id, json: answer })
      .catch((error: unknown) => AppError.accept(error))
  }

  #threadGone(port: number, error: Error): void {
    this.#threads.gone(port)
    for (const entry of this.#entries.values())
      if (entry.settings.configuration.port === port && entry.ended === null && !isOver(entry.live)) {
        entry.ended = { phase: 'failed', atMs: Date.now(), error: serializeError(error) }
        void this.#giveBack(entry)
      }
    this.#options.log.error('the thread of a port ended', { port, error: serializeError(error) })
    this.#changed()
  }

  #find(sessionId: string): Entry {
    const entry = this.#entries.get(sessionId)
    if (entry === undefined) throw wrong('sessionId', 'There is no such session.')
    return entry
  }

  async #threadOf(sessionId: string): Promise<ThreadHandle> {
    const { settings, ended } = this.#find(sessionId)
    const thread = this.#threads.get(settings.configuration.port)
    if (thread === undefined || ended !== null) throw wrong('sessionId', 'The session has ended.')
    return await thread
  }

  /** Twice a second at most, and once more after the last change. */
  #changed(): void {
    if (this.#timer !== null || this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#tell()
    }, tellMs / 2)
  }

  #tell(): void {
    const states = this.states()
    for (const listener of this.#listeners) listener(states)
  }

  #stateOf(entry: Entry): SessionState {
    const { sessionId, settings, live, ended, blockBytes, createdMs, doneBytes, totalBytes } = entry
    const { password, ...rest } = settings
    const { sizeBytes, imageName } = entry
    const { configuration, name } = settings
    const locator = formatStreamLocator({
      host: entry.interface.address,
      port: configuration.port,
      session: name,
      fingerprint: this.fingerprint,
    })
    return {
      sessionId,
      settings: {
        ...rest,
        source: withoutPassword(rest.source),
        configuration: {
          ...configuration,
          dataRate: live?.dataRate ?? configuration.dataRate,
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
      address: entry.interface.address,
      fingerprint: this.fingerprint,
      locator,
      command: `reprise restore --source '${locator}' --target TARGET --erase`,
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
      warnings: [...entry.warnings, ...(live?.warnings ?? [])],
    }
  }
}

/** Throws UsageError for more than a stream can be. */
function blocksOf({ source }: SessionSettings, sizeBytes: number, symbolBytes: number): number {
  const blockBytes = blockBytesForStream({ sizeBytes, symbolBytes })
  if (blockBytes === null) throw tooLong(source)
  return blockBytes
}

async function letGo(entry: Entry): Promise<void> {
  const { opened } = entry
  entry.opened = null
  await opened?.[Symbol.asyncDispose]()
}

const isOver = (live: LiveState | null): boolean => live?.phase === 'ended' || live?.phase === 'failed'

const wrong = (input: string, problem: string, hint?: string): UsageError =>
  new UsageError('E_USAGE', problem, { details: { input, problem, ...(hint === undefined ? {} : { hint }) } })

/** A stream slower than that would take weeks, faster than that no network is. */
const rates = { least: 10_000, most: 10_000_000_000 }

function refuseRate(dataRate: number): void {
  if (Number.isFinite(dataRate) && dataRate >= rates.least && dataRate <= rates.most) return
  throw wrong(
    'dataRate',
    'The Data Rate is bytes a second, from 10,000 to 10,000,000,000.',
    'On a gigabit network 12,000,000 is usual.',
  )
}

const tooLong = (source: string) => wrong('--source', `${source} is larger than a stream can be.`)
