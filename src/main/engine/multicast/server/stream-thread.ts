/**
 * Everything of one port, in a thread of its own: the control connections, the hub, and the streams of all its sessions, driven
 * by one loop. Precise waiting blocks the thread, so it never waits longer than a few milliseconds before the event loop, and
 * with it every connection, has its turn.
 */
import { randomBytes } from 'node:crypto'
import { portTaken } from '#engine/multicast/network'
import { createSessionHub, type HubOutput } from '#engine/multicast/sessions'
import { passwordKey, type ClientMessage, type Message, type ServerMessage } from '#engine/multicast/wire'
import { NetworkError, serializeError, UsageError, type SerializedError } from '#shared/errors'
import { parseAdmissionRule } from '#shared/model'
import { ControlServer } from './control-server.ts'
import { openGroupSocket } from './open-socket.ts'
import { openStreamBytes, type OpenBytes } from './open-bytes.ts'
import type { LiveState, Notice, Order, ServedSession, ThreadData } from './orders.ts'
import { RemoteReads } from './remote-reads.ts'
import { SessionStream } from './session-stream.ts'

/** The event loop's turn comes at least so often; waits that are longer leave the processor to others. */
const turnMs = 5
const idleMs = 8
/** While the system's buffer is full. */
const queuedMs = 0.2
const tickMs = 200
const stateMs = 500
/** After the end, its word is repeated for those who missed it. */
const farewellMs = 2500
/** Who is silent for so long isn't waited for, where a session ends when everyone has finished. */
const patienceMs = 15_000
const mostClients = 4096

interface Served {
  readonly session: ServedSession
  readonly stream: SessionStream
  readonly bytes: OpenBytes
  readonly createdMs: number
  phase: 'open' | 'ended' | 'failed'
  endsWhenFinished: boolean
  endedMs: number | null
  /** The socket is closed. */
  isSilent: boolean
  error: SerializedError | null
}

export class StreamThread {
  readonly #post: (notice: Notice) => void
  readonly #data: ThreadData
  readonly #salt = randomBytes(16)
  readonly #served = new Map<string, Served>()
  /** Connections and the session each is in. */
  readonly #sessionOf = new Map<string, Served>()
  readonly #hellos = new Map<string, Message<'hello'>>()
  readonly #sleep = new Int32Array(new SharedArrayBuffer(4))
  readonly #remote: RemoteReads
  /** Sessions whose reports were heard since their blocks were read ahead. */
  readonly #reported = new Set<Served>()
  #hub: ReturnType<typeof createSessionHub> | null = null
  #control: ControlServer | null = null
  #timer: NodeJS.Timeout | null = null
  #isTurnDue = false
  #isClosed = false
  #tickDueMs = 0
  #stateDueMs = 0
  #lastStates = ''
  /** Names of sessions as clients are asked about them; some aren't here yet. */
  #precedence: readonly string[] = []

  constructor(data: ThreadData, post: (notice: Notice) => void) {
    this.#data = data
    this.#post = post
    this.#remote = new RemoteReads(post)
  }

  /** Rejects with NetworkError E_MC_PORT. */
  async open(): Promise<void> {
    const { port, key, certificate, fingerprint, managementPassword } = this.#data
    const hub = createSessionHub({
      salt: this.#salt,
      fingerprint,
      nonce: () => randomBytes(32),
      managementKey: managementPassword === null ? null : await passwordKey(managementPassword, this.#salt),
    })
    const control = new ControlServer({
      port,
      key,
      certificate,
      hub,
      other: (output) => this.#other(output),
      said: (connection, message, nowMs) => this.#said(connection, message, nowMs),
      told: (connection, message, address, nowMs) => this.#told(connection, message, address, nowMs),
      left: (connection) => this.#left(connection),
      log: (message, fields) => this.#post({ kind: 'log', level: 'debug', message, fields }),
    })
    try {
      await control.listen()
    } catch (error) {
      throw await portTaken(port, error)
    }
    this.#hub = hub
    this.#control = control
    this.wake()
  }

  async obey(order: Order): Promise<void> {
    switch (order.kind) {
      case 'add':
        this.#precedence = order.names
        return await this.#add(order.session)
      case 'start-now':
        this.#find(order.sessionId).stream.sender.start()
        break
      case 'rate':
        this.#find(order.sessionId).stream.setRate(order.dataRate, order.clientDataRate)
        this.#tellStates(performance.now())
        break
      case 'stop':
        this.#stop(order)
        // Before the answer, so that who gets it knows.
        this.#tellStates(performance.now())
        break
      case 'disconnect': {
        const { stream } = this.#find(order.sessionId)
        const connection = stream.roster.connectionOf(order.clientId)
        if (connection === null)
          throw new UsageError('E_USAGE', 'there is no such client', { details: { input: 'clientId' } })
        const text = 'The administrator disconnected this computer.'
        this.#control?.dismiss(connection, { kind: 'end', reason: 'stopped', text }, performance.now())
        break
      }
      case 'precedence':
        this.#precedence = order.names
        this.#hub?.setPrecedence(order.names)
        break
      case 'answer': {
        const nowMs = performance.now()
        const outputs = this.#hub?.answer(order.connection, order.id, order.json, nowMs) ?? []
        this.#control?.carry(outputs, nowMs)
        break
      }
      case 'bytes':
        this.#remote.take(order)
        break
      default:
        return await this.#close()
    }
    this.wake()
  }

  /** Something changed: don't sleep. */
  readonly wake = (): void => {
    if (this.#isTurnDue || this.#isClosed) return
    this.#isTurnDue = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#isTurnDue = false
    if (this.#isClosed) return
    const beganMs = performance.now()
    if (beganMs >= this.#tickDueMs) this.#tick(beganMs)
    const streams = [...this.#served.values()].filter(({ isSilent }) => !isSilent).map(({ stream }) => stream)
    const untilMs = beganMs + turnMs
    for (;;) {
      let dueMs = this.#tickDueMs
      for (const stream of streams) dueMs = Math.min(dueMs, stream.send(untilMs), this.#serveFetches(stream))
      const nowMs = performance.now()
      const restMs = dueMs - nowMs
      if (streams.some((stream) => stream.isQueued)) {
        Atomics.wait(this.#sleep, 0, 0, queuedMs)
        this.wake()
      } else if (nowMs < untilMs && dueMs < untilMs) {
        if (restMs > 0) Atomics.wait(this.#sleep, 0, 0, restMs)
        continue
      } else if (restMs > idleMs) this.#timer = setTimeout(this.wake, restMs - 1)
      else {
        if (nowMs < untilMs) Atomics.wait(this.#sleep, 0, 0, untilMs - nowMs)
        this.wake()
      }
      return
    }
  }

  #serveFetches(stream: SessionStream): number {
    return stream.serveFetch(performance.now(), (connection, block, reading) => {
      void reading
        .then((bytes) => this.#control?.tellBlock(connection, block, bytes))
        .catch((error: unknown) => {
          const text = 'The server cannot read its image at the moment.'
          this.#control?.dismiss(connection, { kind: 'end', reason: 'failed', text }, performance.now())
          this.#log('warn', 'a block could not be read', error)
        })
        .finally(() => this.#control?.carry(this.#hub?.blockSent(connection) ?? [], performance.now()))
    })
  }

  #tick(nowMs: number): void {
    this.#tickDueMs = nowMs + tickMs
    this.#control?.carry(this.#hub?.tick(nowMs) ?? [], nowMs)
    for (const served of this.#served.values()) {
      const { stream, phase, endsWhenFinished, endedMs } = served
      if (phase === 'open') {
        stream.tick()
        if (endsWhenFinished && !stream.roster.hasUnfinished(nowMs, patienceMs))
          this.#end(served, { reason: 'finished', text: '' })
      } else if (!served.isSilent && endedMs !== null && Date.now() - endedMs > farewellMs) {
        served.isSilent = true
        stream.close()
        void served.bytes[Symbol.asyncDispose]()
      }
    }
    if (nowMs >= this.#stateDueMs) {
      this.#stateDueMs = nowMs + stateMs
      this.#tellStates(nowMs)
    }
  }

  #tellStates(nowMs: number): void {
    const states = [...this.#served.values()].map((served) => this.#stateOf(served, nowMs))
    // Twice a second while something changes.
    const text = JSON.stringify(states)
    if (text === this.#lastStates) return
    this.#lastStates = text
    this.#post({ kind: 'states', states })
  }

  #stateOf(served: Served, nowMs: number): LiveState {
    const { session, stream, phase, endedMs, error } = served
    const { sender } = stream
    const status = this.#hub?.status(nowMs).find(({ name }) => name === session.settings.name)
    const { state } = sender
    return {
      sessionId: session.sessionId,
      phase: phase === 'open' ? (state === 'ended' ? 'ended' : state) : phase,
      startedMs: stream.startedMs,
      endedMs,
      wanted: session.settings.start.clients,
      startsInMs: status?.startsInMs ?? null,
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

  async #add(session: ServedSession): Promise<void> {
    const { sessionId, settings, bytes: where } = session
    const { group, port, ttl, dataRate } = settings.configuration
    const hub = this.#hub
    if (hub === null)
      throw new NetworkError('E_MC_PORT', 'not open', { details: { address: '', phase: 'add', port } })
    const admission = settings.admission.map((rule) => parseAdmissionRule(rule))
    const secret = settings.password === null ? null : await passwordKey(settings.password, this.#salt)
    await using opened = new AsyncDisposableStack()
    const bytes = opened.use(
      where.kind === 'web' ? this.#remote.open(sessionId) : await openStreamBytes(where),
    )
    const socket = await openGroupSocket({ group, port, ttl, address: session.interface.address })
    opened.defer(() => void socket.close())
    const key = randomBytes(16)
    const tag = randomBytes(4).readUInt32BE()
    const served: Served = {
      session,
      bytes,
      createdMs: Date.now(),
      phase: 'open',
      endsWhenFinished: false,
      endedMs: null,
      isSilent: false,
      error: null,
      stream: new SessionStream(session, {
        socket,
        key,
        tag,
        read: (into, offset) => bytes.read(into, offset),
        wake: this.wake,
        broken: (error) => this.#fail(served, error),
      }),
    }
    const { stream } = served
    const { blockBytes, symbolBytes, imageName, imageFormat, root, hashes } = session
    const isNew = hub.add({
      facts: {
        kind: 'session',
        sessionId: Buffer.from(sessionId, 'hex'),
        key,
        tag,
        name: settings.name,
        imageName,
        imageFormat,
        sizeBytes: where.sizeBytes,
        blockBytes,
        symbolBytes,
        root,
        group,
        port,
        dataRate: Math.round(dataRate),
        reportEveryMs: 250,
      },
      sender: stream.sender,
      hashOf: (block) => hashes.subarray(block * 32, block * 32 + 32),
      blocks: stream.layout.blocks,
      startRule: settings.start,
      admission,
      passwordKey: secret,
      mostClients,
      whenFinished: settings.whenFinished,
    })
    if (!isNew)
      throw new UsageError('E_USAGE', 'a session of that name is there', { details: { input: 'name' } })
    // Where it belongs, also if that was said while its source was still being read.
    hub.setPrecedence(this.#precedence)
    opened.move()
    this.#served.set(sessionId, served)
    this.#stateDueMs = 0
    this.#tickDueMs = 0
    this.wake()
  }

  #find(sessionId: string): Served {
    const served = this.#served.get(sessionId)
    if (served === undefined)
      throw new UsageError('E_USAGE', 'there is no such session', { details: { input: 'sessionId' } })
    return served
  }

  #stop({ sessionId, when, text }: Extract<Order, { readonly kind: 'stop' }>): void {
    const served = this.#find(sessionId)
    if (served.phase !== 'open') return
    if (when === 'now') this.#end(served, { reason: 'stopped', text })
    else served.endsWhenFinished = true
    this.#tickDueMs = 0
    this.#stateDueMs = 0
  }

  #end(served: Served, { reason, text }: Omit<Message<'end'>, 'kind'>): void {
    if (served.phase !== 'open') return
    served.phase = reason === 'failed' ? 'failed' : 'ended'
    served.endedMs = Date.now()
    const outputs = this.#hub?.stop(served.session.settings.name, { reason, text }) ?? []
    this.#control?.carry(outputs, performance.now())
    served.stream.sender.end()
    this.#stateDueMs = 0
    this.wake()
  }

  #fail(served: Served, error: unknown): void {
    served.error = serializeError(error)
    this.#end(served, { reason: 'failed', text: 'The server cannot read its image any more.' })
    this.#log('warn', 'a session failed', error)
  }

  #other(output: Exclude<HubOutput, { readonly kind: 'send' | 'close' }>): void {
    if (output.kind === 'read') {
      const { connection, block } = output
      this.#sessionOf.get(connection)?.stream.fetches.ask({ connection, block })
      this.wake()
    } else if (output.kind === 'command') {
      const { connection, right, id, json } = output
      this.#post({ kind: 'command', connection, right, id, json })
    } else if (output.kind === 'guessing') {
      const { address, waitMs } = output
      const fields = { address, waitMs: Math.round(waitMs) }
      this.#post({ kind: 'log', level: 'warn', message: 'wrong passwords; they have to wait', fields })
    } else {
      // The hub has told everyone already.
      for (const served of this.#served.values())
        if (served.session.settings.name === output.session && served.phase === 'open') {
          served.phase = 'ended'
          served.endedMs = Date.now()
        }
      this.#stateDueMs = 0
    }
  }

  #said(connection: string, message: ClientMessage, nowMs: number): void {
    if (message.kind === 'hello') this.#hellos.set(connection, message)
    const served = this.#sessionOf.get(connection)
    served?.stream.roster.said(connection, message, nowMs)
    // What it needs should be at hand before its turn comes. The hub hears it right after this.
    if (message.kind === 'report' && served !== undefined) this.#afterReport(served)
    if (message.kind === 'finished') this.#tickDueMs = 0
  }

  /** Once for all that came in one turn. */
  #afterReport(served: Served): void {
    if (this.#reported.size === 0)
      setImmediate(() => {
        for (const { stream } of this.#reported) if (stream.sender.state !== 'waiting') stream.readAhead()
        this.#reported.clear()
        this.wake()
      })
    this.#reported.add(served)
  }

  /** Whoever is told of a session is in it. */
  #told(connection: string, message: ServerMessage, address: string, nowMs: number): void {
    if (message.kind !== 'session') return
    const hello = this.#hellos.get(connection)
    const served = this.#served.get(Buffer.from(message.sessionId).toString('hex'))
    if (hello === undefined || served === undefined) return
    this.#sessionOf.set(connection, served)
    if (hello.purpose !== 'join') return
    const clientId = Buffer.from(hello.clientId).toString('hex')
    served.stream.roster.joined(connection, { clientId, host: hello.hostName, address }, nowMs)
    this.#stateDueMs = 0
    this.wake()
  }

  #left(connection: string): void {
    const served = this.#sessionOf.get(connection)
    served?.stream.roster.left(connection)
    served?.stream.fetches.left(connection)
    this.#sessionOf.delete(connection)
    this.#hellos.delete(connection)
  }

  async #close(): Promise<void> {
    for (const served of this.#served.values())
      if (served.phase === 'open') this.#end(served, { reason: 'stopped', text: 'The server was stopped.' })
    // The word that it is over by multicast, too, once.
    for (const { stream, isSilent } of this.#served.values())
      if (!isSilent) stream.send(performance.now() + 20)
    await this.#control?.close()
    this.#tellStates(performance.now())
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const { stream, bytes, isSilent } of this.#served.values()) {
      if (isSilent) continue
      stream.close()
      await bytes[Symbol.asyncDispose]()
    }
  }

  #log(level: 'info' | 'warn', message: string, error: unknown): void {
    this.#post({ kind: 'log', level, message, fields: { error: serializeError(error) } })
  }
}
