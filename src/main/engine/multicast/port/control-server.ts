/**
 * The control connections of one port: TLS, frames, the hub. Whoever connects may be anyone: what isn't a frame that a client
 * may say ends the connection, who says nothing is sent away, who doesn't read is cut off, and nobody has more than a few
 * connections that haven't said who they are.
 */
import { createServer as createTlsServer, type Server, type TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import type { HubOutput, SessionHub } from '#engine/multicast/sessions'
import {
  createFrameReader,
  encodeMessage,
  type ClientMessage,
  type ServerMessage,
} from '#engine/multicast/wire'
import { errnoName, NetworkError } from '#shared/errors'
import type { Pace } from './answer-pacer.ts'

export interface ControlOptions {
  readonly port: number
  /** PEM. */
  readonly key: string
  readonly certificate: string
  readonly hub: SessionHub
  /** What the hub says besides `send` and `close`. */
  readonly other: (output: Exclude<HubOutput, { readonly kind: 'send' | 'close' }>) => void
  /** Seen by who keeps count of clients; `nowMs` is the loop's clock. */
  readonly said: (connection: string, message: ClientMessage, nowMs: number) => void
  readonly told: (connection: string, message: ServerMessage, address: string, nowMs: number) => void
  readonly left: (connection: string) => void
  /** For a block; null: it goes out as fast as the client takes it. `go`: go on with it, it is its turn. */
  readonly paceOf: (connection: string, go: () => void) => Pace | null
  readonly log: (message: string, fields: { readonly [key: string]: unknown }) => void
}

/** For all, from one address, and from one address without a word yet. */
const most = { connections: 8192, perAddress: 2048, strangers: 48 }
const handshakeMs = 10_000
/** So much is encoded for a client beyond what it has read: the hashes of a long stream would be megabytes for each of hundreds. */
const aheadBytes = 256 * 1024
/** What is longer goes in such pieces: with each it shows that it reads. */
const pieceBytes = 64 * 1024
/** A client that takes nothing for so long of what it is told isn't there any more, or means ill. */
const unreadMs = 60_000
/** And so does one that takes so long for one message, a little now and then, which is held all the while. */
const unfinishedMs = 300_000
/** Who asks so often without reading what is answered means ill. */
const mostUnreadAnswers = 8
/**
 * After the last word, for the client to hang up: one that takes nothing and says nothing for so long isn't waited for. Who still says
 * something hasn't heard it, as what was begun before is on its way.
 */
const lingerMs = 2000
const lingerMostMs = 15_000
/** When everyone is sent away: those who have taken everything, and all of them. */
const closing = { lingerMs: 500, mostMs: 6000 }
/** So often it is looked who still is there. */
const lookMs = 250

interface Connection {
  readonly id: string
  readonly address: string
  readonly socket: TLSSocket
  /** What it is to be told, the next thing first. */
  outbox: Letter[]
  /** What of the last letter wasn't written yet. */
  rest: Rest | null
  unreadAnswers: number
  /** When it took or said something last. */
  movedMs: number
  /** Since when it has taken nothing of what was written to it; null: it has taken everything. */
  waitsSinceMs: number | null
  hasSpoken: boolean
  isClosing: boolean
}

interface Letter {
  readonly message: ServerMessage
  /** Null: it goes out as fast as it is taken. */
  readonly pace: Pace | null
  /** It was taken off our hands. */
  readonly taken?: () => void
}

interface Rest {
  readonly bytes: Uint8Array
  readonly taken: Letter['taken']
  readonly pace: Pace | null
  /** When it was begun; later by what it has waited for its turn. */
  readonly sinceMs: number
  /** It waits for its turn since then; null: for the client. */
  readonly heldSinceMs: number | null
}

/** Whose connections come from one address. */
interface Caller {
  connections: number
  /** The ports of those who haven't said hello. */
  readonly strangers: Set<number>
}

export class ControlServer {
  readonly #options: ControlOptions
  readonly #server: Server
  readonly #connections = new Map<string, Connection>()
  readonly #callers = new Map<string, Caller>()
  /** Of those who haven't come to TLS yet, by their address and port. */
  readonly #sockets = new Map<string, Socket>()
  /** It listens no more, and resolves when everyone is gone. */
  #closed: Promise<void> | null = null
  /** When everyone has to be gone. */
  #closesByMs = Infinity
  #next = 1

  constructor(options: ControlOptions) {
    this.#options = options
    const { key, certificate } = options
    this.#server = createTlsServer({
      key,
      cert: certificate,
      minVersion: 'TLSv1.3',
      handshakeTimeout: handshakeMs,
      // A session of an earlier connection would save a signature, and keep a secret for a day.
      sessionTimeout: 1,
    })
    this.#server.maxConnections = most.connections
    this.#server.on('connection', (socket: Socket) => this.#arrived(socket))
    this.#server.on('secureConnection', (socket: TLSSocket) => this.#greet(socket))
    this.#server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.#options.log('a control connection that speaks no TLS', {
        address: plainAddress(socket.remoteAddress),
        error: error.message,
      })
      socket.destroy()
    })
  }

  /** Resolves when clients may come. Rejects with the system's error. */
  async listen(): Promise<void> {
    const { port } = this.#options
    try {
      await this.#listenOn({ port, host: '::', ipv6Only: false })
    } catch (error) {
      // A system without IPv6.
      if (errnoName(error) !== 'EAFNOSUPPORT' && errnoName(error) !== 'EADDRNOTAVAIL') throw error
      await this.#listenOn({ port, host: '0.0.0.0' })
    }
    this.#server.on('error', (error) => this.#options.log('the control port', { error: error.message }))
  }

  /** Carry out what the hub wants. */
  carry(outputs: readonly HubOutput[], nowMs: number): void {
    for (const output of outputs)
      if (output.kind === 'send') this.#tell(output.connection, output.message, nowMs)
      else if (output.kind === 'close') this.#hangUp(output.connection)
      else this.#options.other(output)
  }

  /** Send a block; resolves when it was taken off our hands, or the connection is gone. */
  async tellBlock(connection: string, block: number, bytes: Uint8Array): Promise<void> {
    const at = this.#connections.get(connection)
    if (at === undefined || at.isClosing) return
    const { socket } = at
    await new Promise<void>((resolve) => {
      const taken = () => {
        socket.off('close', taken)
        resolve()
      }
      socket.once('close', taken)
      const pace = this.#options.paceOf(connection, () => this.#write(at))
      at.outbox.push({ message: { kind: 'block', block, bytes }, pace, taken })
      this.#write(at)
    })
  }

  /** Cut off who doesn't read. Called a few times a second, before the hub's. */
  tick(nowMs: number): void {
    for (const { id, waitsSinceMs, rest, socket } of this.#connections.values()) {
      const isHeld = rest !== null && rest.heldSinceMs !== null
      if (waitsSinceMs === null && !isHeld) continue
      const isStuck = rest !== null && !isHeld && nowMs - rest.sinceMs >= unfinishedMs
      const isUnread = waitsSinceMs !== null && nowMs - waitsSinceMs >= unreadMs
      if (isStuck || isUnread) socket.destroy()
      else this.#options.hub.isBehind(id, nowMs)
    }
  }

  /** Say this, or nothing, and hang up. */
  dismiss(connection: string, message: ServerMessage | null, nowMs: number): void {
    if (message !== null) this.#tell(connection, message, nowMs)
    this.#hangUp(connection)
    this.#options.hub.disconnected(connection)
  }

  /** Nobody new comes, and others may listen there; who is here is heard and answered as before. */
  leavePort(): void {
    void this.#endListening()
  }

  /** Resolves when everyone is gone: in a moment, or some seconds where somebody still takes what he is told. */
  async close(): Promise<void> {
    this.#closesByMs = performance.now() + closing.mostMs
    const closed = this.#endListening()
    const timer = setTimeout(() => {
      for (const socket of this.#sockets.values()) socket.destroy()
    }, closing.lingerMs)
    for (const { id } of this.#connections.values()) this.#hangUp(id)
    await closed
    clearTimeout(timer)
  }

  #endListening(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()))
    return this.#closed
  }

  async #listenOn(where: { port: number; host: string; ipv6Only?: boolean }): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ ...where, backlog: 511 }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  #arrived(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress)
    const { remotePort = 0 } = socket
    const caller = this.#callers.get(address) ?? { connections: 0, strangers: new Set() }
    const { connections, strangers } = caller
    if (strangers.size >= most.strangers || connections >= most.perAddress) {
      socket.destroy()
      return
    }
    caller.connections += 1
    strangers.add(remotePort)
    this.#callers.set(address, caller)
    const peer = peerOf(socket)
    this.#sockets.set(peer, socket)
    socket.once('close', () => {
      this.#sockets.delete(peer)
      strangers.delete(remotePort)
      caller.connections -= 1
      if (caller.connections === 0) this.#callers.delete(address)
    })
  }

  #greet(socket: TLSSocket): void {
    const { hub } = this.#options
    this.#sockets.delete(peerOf(socket))
    if (this.#closesByMs < Infinity) {
      socket.destroy()
      return
    }
    const address = plainAddress(socket.remoteAddress)
    const id = `c${this.#next++}`
    const connection: Connection = {
      id,
      address,
      socket,
      outbox: [],
      rest: null,
      unreadAnswers: 0,
      movedMs: performance.now(),
      waitsSinceMs: null,
      hasSpoken: false,
      isClosing: false,
    }
    this.#connections.set(id, connection)
    const reader = createFrameReader({ peer: address, from: 'client' })
    socket.setNoDelay(true)
    // A client that was unplugged isn't waited for for hours.
    socket.setKeepAlive(true, 15_000)
    socket.on('data', (bytes: Buffer) => {
      connection.movedMs = performance.now()
      if (connection.isClosing) return
      try {
        for (const message of reader.read(bytes)) this.#hear(connection, message as ClientMessage)
      } catch (error) {
        NetworkError.accept(error)
        this.#options.log('a client that talks nonsense', { address, error: error.message })
        const text = 'That is no message of this protocol.'
        this.dismiss(id, { kind: 'refused', reason: 'protocol', text }, performance.now())
      }
    })
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      this.#connections.delete(id)
      hub.disconnected(id)
      this.#options.left(id)
    })
    const nowMs = performance.now()
    this.carry(hub.connected(id, address, nowMs), nowMs)
  }

  #hear(connection: Connection, message: ClientMessage): void {
    const { id, address, socket } = connection
    if (connection.isClosing) return
    const nowMs = performance.now()
    if (!connection.hasSpoken) {
      connection.hasSpoken = true
      // It no longer counts as a stranger.
      this.#callers.get(address)?.strangers.delete(socket.remotePort ?? 0)
    }
    this.#options.said(id, message, nowMs)
    this.carry(this.#options.hub.message(id, message, nowMs), nowMs)
  }

  #tell(id: string, message: ServerMessage, nowMs: number): void {
    const connection = this.#connections.get(id)
    if (connection === undefined || connection.isClosing) return
    this.#options.told(id, message, connection.address, nowMs)
    if (message.kind === 'answer') {
      connection.unreadAnswers += 1
      if (connection.unreadAnswers > mostUnreadAnswers) connection.socket.destroy()
      connection.outbox.push({ message, pace: null, taken: () => void (connection.unreadAnswers -= 1) })
    } else if (!hasReplaced(connection.outbox, message)) connection.outbox.push({ message, pace: null })
    this.#write(connection)
  }

  /** As much as may be ahead of what it has read, and goes out now. */
  #write(connection: Connection): void {
    const { socket, outbox, isClosing } = connection
    if (socket.destroyed) return
    while (socket.writableLength < aheadBytes) {
      const next = connection.rest ?? open(outbox.shift())
      if (next === null) break
      const { bytes, taken, heldSinceMs } = next
      // What was begun mustn't keep the last word from it.
      const pace = isClosing ? null : next.pace
      const nowMs = performance.now()
      const length = Math.min(bytes.length, pace?.pieceBytes ?? pieceBytes)
      if (pace?.take(length, nowMs) === false) {
        connection.rest = { ...next, heldSinceMs: heldSinceMs ?? nowMs }
        break
      }
      const sinceMs = next.sinceMs + (heldSinceMs === null ? 0 : nowMs - heldSinceMs)
      const isLast = length === bytes.length
      connection.rest = isLast
        ? null
        : { bytes: bytes.subarray(length), taken, pace, sinceMs, heldSinceMs: null }
      connection.waitsSinceMs ??= nowMs
      socket.write(bytes.subarray(0, length), () => {
        connection.movedMs = performance.now()
        connection.waitsSinceMs = socket.writableLength === 0 ? null : connection.movedMs
        if (isLast) taken?.()
        this.#write(connection)
      })
    }
    const isOut = connection.rest === null && outbox.length === 0
    if (isClosing && isOut && !socket.writableEnded) socket.end()
  }

  #hangUp(id: string): void {
    const connection = this.#connections.get(id)
    if (connection === undefined || connection.isClosing) return
    connection.isClosing = true
    connection.outbox = connection.outbox.filter(({ pace }) => pace === null)
    this.#write(connection)
    this.#linger(connection)
  }

  /** What was begun may be long for a slow line, and the last word comes after it. */
  #linger(connection: Connection): void {
    const { socket } = connection
    const beganMs = performance.now()
    connection.movedMs = beganMs
    const timer = setInterval(() => {
      const nowMs = performance.now()
      const isOut = connection.rest === null && socket.writableLength === 0
      const patienceMs = isOut && this.#closesByMs < Infinity ? closing.lingerMs : lingerMs
      const untilMs = Math.min(connection.movedMs + patienceMs, beganMs + lingerMostMs, this.#closesByMs)
      if (nowMs >= untilMs) socket.destroy()
    }, lookMs).unref()
    socket.once('close', () => clearInterval(timer))
  }
}

const open = (letter: Letter | undefined): Rest | null =>
  letter === undefined
    ? null
    : {
        bytes: encodeMessage(letter.message),
        taken: letter.taken,
        pace: letter.pace,
        sinceMs: performance.now(),
        heldSinceMs: null,
      }

/** What is true at the moment takes the place of what was, and isn't out yet: who reads slowly isn't told of each second. */
function hasReplaced(outbox: Letter[], message: ServerMessage): boolean {
  const { kind } = message
  if (kind !== 'position' && kind !== 'waiting') return false
  const index = outbox.findLastIndex((letter) => letter.message.kind === kind)
  if (index !== -1) outbox[index] = { message, pace: null }
  return index !== -1
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/** IPv4 addresses as they are written, also where they come through an IPv6 socket. */
const plainAddress = (address: string | undefined): string =>
  (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '')
