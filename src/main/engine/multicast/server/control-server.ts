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
import { NetworkError } from '#shared/errors'

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
  readonly log: (message: string, fields: { readonly [key: string]: unknown }) => void
}

/** For all, and from one address without a word yet. */
const most = { connections: 8192, strangers: 48 }
const handshakeMs = 10_000
/** What may wait to be read by a client: a block of the largest kind, and the hashes of a long stream. */
const mostUnread = 128 * 1024 * 1024
/** After the last word, for the client to hang up. */
const lingerMs = 2000

interface Connection {
  readonly id: string
  readonly address: string
  readonly socket: TLSSocket
  hasSpoken: boolean
  isClosing: boolean
}

export class ControlServer {
  readonly #options: ControlOptions
  readonly #server: Server
  readonly #connections = new Map<string, Connection>()
  /** By address: the ports of those who haven't said hello. */
  readonly #strangers = new Map<string, Set<number>>()
  readonly #sockets = new Set<Socket>()
  /** It listens no more, and resolves when everyone is gone. */
  #closed: Promise<void> | null = null
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
      if (!isErrno(error, 'EAFNOSUPPORT') && !isErrno(error, 'EADDRNOTAVAIL')) throw error
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
    const socket = this.#connections.get(connection)?.socket
    if (socket === undefined) return
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off('close', done)
        resolve()
      }
      socket.once('close', done)
      socket.write(encodeMessage({ kind: 'block', block, bytes }), done)
    })
  }

  /** Say this, and hang up. */
  dismiss(connection: string, message: ServerMessage, nowMs: number): void {
    this.#tell(connection, message, nowMs)
    this.#hangUp(connection)
    this.#options.hub.disconnected(connection)
  }

  /** Nobody new comes, and others may listen there; who is here is heard and answered as before. */
  leavePort(): void {
    void this.#endListening()
  }

  /** Resolves when everyone is gone, which takes a moment at most. */
  async close(): Promise<void> {
    const closed = this.#endListening()
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, lingerMs / 4)
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
    const ports = this.#strangers.get(address) ?? new Set()
    if (ports.size >= most.strangers) {
      socket.destroy()
      return
    }
    ports.add(remotePort)
    this.#strangers.set(address, ports)
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#introduced(address, remotePort)
    })
  }

  /** It no longer counts as a stranger. */
  #introduced(address: string, port: number): void {
    const ports = this.#strangers.get(address)
    ports?.delete(port)
    if (ports?.size === 0) this.#strangers.delete(address)
  }

  #greet(socket: TLSSocket): void {
    const { hub } = this.#options
    const address = plainAddress(socket.remoteAddress)
    const id = `c${this.#next++}`
    const connection: Connection = { id, address, socket, hasSpoken: false, isClosing: false }
    this.#connections.set(id, connection)
    const reader = createFrameReader({ peer: address, from: 'client' })
    socket.setNoDelay(true)
    // A client that was unplugged isn't waited for for hours.
    socket.setKeepAlive(true, 15_000)
    socket.on('data', (bytes: Buffer) => {
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
      this.#introduced(address, socket.remotePort ?? 0)
    }
    this.#options.said(id, message, nowMs)
    this.carry(this.#options.hub.message(id, message, nowMs), nowMs)
  }

  #tell(id: string, message: ServerMessage, nowMs: number): void {
    const connection = this.#connections.get(id)
    if (connection === undefined || connection.isClosing) return
    const { socket, address } = connection
    this.#options.told(id, message, address, nowMs)
    socket.write(encodeMessage(message))
    if (socket.writableLength > mostUnread) socket.destroy()
  }

  #hangUp(id: string): void {
    const connection = this.#connections.get(id)
    if (connection === undefined || connection.isClosing) return
    connection.isClosing = true
    const { socket } = connection
    socket.end()
    setTimeout(() => socket.destroy(), lingerMs).unref()
  }
}

/** IPv4 addresses as they are written, also where they come through an IPv6 socket. */
const plainAddress = (address: string | undefined): string =>
  (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '')

const isErrno = (error: unknown, code: string) =>
  error instanceof Error && 'code' in error && error.code === code
