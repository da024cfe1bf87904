/**
 * Everything of one port, in a thread of its own: the control connections, the hub, and the streams of all its sessions. Does what
 * the server orders, and tells it what becomes of them.
 */
import { randomBytes } from 'node:crypto'
import { portTaken } from '#engine/multicast/network'
import type { Notice, Order, ServedSession, ThreadData } from '#engine/multicast/orders'
import { createSessionHub, vanishedMs, type HubOutput, type SessionHub } from '#engine/multicast/sessions'
import { passwordKey, type Message } from '#engine/multicast/wire'
import { NetworkError, serializeError, UsageError } from '#shared/errors'
import { AnswerRoom } from './answer-room.ts'
import { ControlServer } from './control-server.ts'
import type { Fetch } from './fetch-budget.ts'
import { RemoteReads } from './remote-reads.ts'
import { closeServed, endServed, liveStateOf, openServed, type Served } from './served.ts'
import { patienceMs, type SessionStream } from './session-stream.ts'
import { StreamLoop } from './stream-loop.ts'
import { ThreadClients } from './thread-clients.ts'
import { ThreadTurn } from './thread-turn.ts'

const stateMs = 500
/** A block that a client fetches and that can't be read is tried again. */
const againMs = 1000
/** As long as a management password that was made at random; one that somebody chose is mostly shorter. */
const unguessableLength = 32

export class StreamThread {
  readonly #post: (notice: Notice) => void
  readonly #data: ThreadData
  readonly #salt = randomBytes(16)
  readonly #served = new Map<string, Served>()
  readonly #remote: RemoteReads
  readonly #room = new AnswerRoom()
  readonly #ownTurn = new ThreadTurn()
  readonly #loop = new StreamLoop({
    streams: () => [...this.#served.values()].filter(({ isSilent }) => !isSilent).map(({ stream }) => stream),
    serveFetches: (stream) => this.#serveFetches(stream),
    tick: (nowMs) => this.#tick(nowMs),
  })
  readonly #clients = new ThreadClients({
    find: (sessionId) => this.#served.get(sessionId),
    joined: () => {
      this.#stateDueMs = 0
      this.#loop.wake()
    },
    finished: () => this.#loop.hurry(),
    wake: this.#loop.wake,
  })
  #hub: SessionHub | null = null
  #control: ControlServer | null = null
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
      isManagementUnguessable: managementPassword !== null && managementPassword.length >= unguessableLength,
    })
    const clients = this.#clients
    const control = new ControlServer({
      port,
      key,
      certificate,
      hub,
      other: (output) => this.#other(output),
      said: (connection, message, nowMs) => clients.said(connection, message, nowMs),
      told: (connection, message, address, nowMs) => clients.told(connection, message, address, nowMs),
      left: (connection) => clients.left(connection),
      paceOf: (connection, go) => clients.paceOf(connection, go),
      log: (message, fields) => this.#post({ kind: 'log', level: 'debug', message, fields }),
    })
    try {
      await control.listen()
    } catch (error) {
      throw await portTaken(port, error)
    }
    this.#hub = hub
    this.#control = control
    this.#loop.wake()
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
      case 'disconnect':
        this.#disconnect(order)
        this.#tellStates(performance.now())
        break
      case 'precedence':
        this.#precedence = order.names
        this.#hub?.setPrecedence(order.names)
        break
      case 'pending':
        this.#hub?.setPending(order.sessions)
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
      case 'retire':
        this.#control?.leavePort()
        break
      default:
        return await this.#close()
    }
    this.#loop.wake()
  }

  async #add(session: ServedSession): Promise<void> {
    const hub = this.#hub
    const { port } = session.settings.configuration
    if (hub === null)
      throw new NetworkError('E_MC_PORT', 'not open', { details: { address: '', phase: 'add', port } })
    const { served, offer } = await openServed(session, {
      salt: this.#salt,
      remote: this.#remote,
      room: this.#room,
      wake: this.#loop.wake,
      broken: (broken, error) => this.#fail(broken, error),
    })
    if (!hub.add(offer)) {
      await closeServed(served)
      throw new UsageError('E_USAGE', 'a session of that name is there', { details: { input: 'name' } })
    }
    // Where it belongs, also if that was said while its source was still being read.
    hub.setPrecedence(this.#precedence)
    this.#served.set(session.sessionId, served)
    this.#stateDueMs = 0
    this.#loop.hurry()
    this.#loop.wake()
  }

  #find(sessionId: string): Served {
    const served = this.#served.get(sessionId)
    if (served === undefined)
      throw new UsageError('E_USAGE', 'there is no such session', { details: { input: 'sessionId' } })
    return served
  }

  #disconnect({ sessionId, clientId }: Extract<Order, { readonly kind: 'disconnect' }>): void {
    const { roster } = this.#find(sessionId).stream
    const connection = roster.connectionOf(clientId)
    if (connection === null)
      throw new UsageError('E_USAGE', 'there is no such client', { details: { input: 'clientId' } })
    const text = 'The administrator disconnected this computer.'
    roster.dismissed(clientId)
    this.#hub?.dismissed(connection)
    this.#control?.dismiss(connection, { kind: 'end', reason: 'stopped', text }, performance.now())
  }

  #stop({ sessionId, when, text }: Extract<Order, { readonly kind: 'stop' }>): void {
    const served = this.#find(sessionId)
    if (served.phase !== 'open') return
    if (when === 'now') this.#end(served, { reason: 'stopped', text })
    else served.endsWhenFinished = true
    this.#loop.hurry()
    this.#stateDueMs = 0
  }

  #end(served: Served, { reason, text }: Omit<Message<'end'>, 'kind'>): void {
    if (served.phase !== 'open') return
    endServed(served, reason === 'failed' ? 'failed' : 'ended', performance.now())
    served.stream.roster.ended(served.stream.sender.state, performance.now())
    const outputs = this.#hub?.stop(served.session.settings.name, { reason, text }) ?? []
    this.#control?.carry(outputs, performance.now())
    served.stream.sender.end()
    this.#stateDueMs = 0
    this.#loop.wake()
  }

  #fail(served: Served, error: unknown): void {
    // Until it is closed, what can't be read is told again.
    if (served.phase !== 'open') return
    served.error = serializeError(error)
    this.#end(served, { reason: 'failed', text: 'The server cannot read its image any more.' })
    this.#log('warn', 'a session failed', error)
  }

  #tick(nowMs: number): void {
    this.#control?.tick(nowMs)
    this.#control?.carry(this.#hub?.tick(nowMs) ?? [], nowMs)
    const sending = [...this.#served.values()].filter(({ stream }) => stream.sender.state === 'streaming')
    this.#ownTurn.follow(
      sending.reduce((sum, { stream }) => sum + stream.dataRate, 0),
      nowMs,
    )
    for (const [sessionId, served] of this.#served) {
      const { stream, phase, endsWhenFinished, silentMs } = served
      if (phase === 'open') {
        stream.tick()
        if (endsWhenFinished && !stream.roster.hasUnfinished(nowMs, vanishedMs))
          this.#end(served, { reason: 'finished', text: '' })
      } else if (nowMs >= silentMs) {
        // How it ended was told; who remembers it is the server, not the port.
        this.#served.delete(sessionId)
        void closeServed(served)
      }
    }
    if (nowMs >= this.#stateDueMs) {
      this.#stateDueMs = nowMs + stateMs
      this.#tellStates(nowMs)
    }
  }

  #tellStates(nowMs: number): void {
    const status = this.#hub?.status(nowMs) ?? []
    const states = [...this.#served.values()].map((served) => {
      const its = status.find(({ name }) => name === served.session.settings.name)
      return liveStateOf(served, its?.startsInMs ?? null, nowMs)
    })
    // Twice a second while something changes.
    const text = JSON.stringify(states)
    if (text === this.#lastStates) return
    this.#lastStates = text
    this.#post({ kind: 'states', states })
  }

  #serveFetches(stream: SessionStream): number {
    return stream.serveFetch(performance.now(), (fetch, reading) => void this.#answer(stream, fetch, reading))
  }

  async #answer(stream: SessionStream, fetch: Fetch, reading: Promise<Uint8Array>): Promise<void> {
    const { connection, block } = fetch
    try {
      await this.#control?.tellBlock(connection, block, await reading)
    } catch (error) {
      if (stream.isClosed) return
      if (fetch.failingSinceMs === undefined) this.#log('warn', 'a block could not be read', error)
      const failingSinceMs = stream.failingFrom(error, fetch)
      stream.fetches.unsent(fetch)
      if (performance.now() - failingSinceMs < patienceMs) {
        setTimeout(() => this.#askAgain(stream, { ...fetch, failingSinceMs }), againMs).unref()
        return
      }
      // As when the stream can't read it, which may rest while all who are here fetch.
      const served = this.#clients.sessionOf(connection)
      if (served?.stream === stream) this.#fail(served, error)
    } finally {
      stream.fetches.over(fetch)
      // Others may have waited for its room.
      this.#loop.wake()
    }
    this.#control?.carry(this.#hub?.blockSent(connection) ?? [], performance.now())
  }

  /** Who left meanwhile is no longer waited for. */
  #askAgain(stream: SessionStream, fetch: Fetch): void {
    if (this.#clients.sessionOf(fetch.connection)?.stream !== stream) return
    stream.fetches.ask(fetch)
    this.#loop.wake()
  }

  /** What the hub wants beside what control connections carry. */
  #other(output: Exclude<HubOutput, { readonly kind: 'send' | 'close' }>): void {
    switch (output.kind) {
      case 'read': {
        const { connection, block } = output
        const member = this.#clients.memberOf(connection)
        member?.served.stream.fetches.ask({ connection, address: member.address, block })
        this.#loop.wake()
        break
      }
      case 'command': {
        const { connection, right, id, json } = output
        this.#post({ kind: 'command', connection, right, id, json })
        break
      }
      case 'guessing': {
        const fields = { address: output.address, waitMs: Math.round(output.waitMs) }
        this.#post({ kind: 'log', level: 'warn', message: 'wrong passwords; they have to wait', fields })
        break
      }
      case 'returned':
        for (const { session, stream } of this.#served.values())
          if (session.settings.name === output.session) stream.roster.forget(output.clientId)
        break
      default:
        // The hub has told everyone already.
        for (const served of this.#served.values())
          if (served.session.settings.name === output.session && served.phase === 'open')
            endServed(served, 'ended', performance.now())
        this.#stateDueMs = 0
    }
  }

  async #close(): Promise<void> {
    for (const served of this.#served.values())
      if (served.phase === 'open') this.#end(served, { reason: 'stopped', text: 'The server was stopped.' })
    // The word that it is over by multicast, too, once.
    for (const { stream, isSilent } of this.#served.values())
      if (!isSilent) stream.send(performance.now() + 20)
    await this.#control?.close()
    this.#tellStates(performance.now())
    this.#loop.close()
    await Promise.all([...this.#served.values()].map(closeServed))
  }

  #log(level: 'info' | 'warn', message: string, error: unknown): void {
    this.#post({ kind: 'log', level, message, fields: { error: serializeError(error) } })
  }
}
