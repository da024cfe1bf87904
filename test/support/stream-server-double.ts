/**
 * A small server of one session over real TLS and real datagrams on the loopback interface, in the test's own process, which can be
 * told to misbehave. The hub and the sender are the real ones.
 */
import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { rootOfBlocks } from '#engine/formats/udif'
import { createErasureCode } from '#engine/multicast/fec'
import { planStream } from '#engine/multicast/layout'
import { createSender, createSymbolSource, type Sender } from '#engine/multicast/sender'
import {
  createSessionHub,
  type HubOutput,
  type Session,
  type SessionHub,
  type StartRule,
} from '#engine/multicast/sessions'
import {
  createDatagramCoder,
  createFrameReader,
  datagramHeaderBytes,
  encodeMessage,
  networkHeaderBytes,
  passwordKey,
  type ClientMessage,
  type Message,
  type ServerMessage,
} from '#engine/multicast/wire'
import type { StreamLocator } from '#shared/model'
import { makeCertificate, type Certificate } from '#src/main/engine/multicast/server/certificate.ts'

export interface StreamServerOptions {
  readonly image: Uint8Array
  readonly imageName?: string
  readonly blockBytes?: number
  readonly symbolBytes?: number
  readonly dataRate?: number
  readonly password?: string
  readonly admission?: Session['admission']
  readonly mostClients?: number
  readonly startRule?: StartRule
  readonly certificate?: Certificate
  /** Of an earlier server that this one takes the place of. */
  readonly port?: number
  readonly group?: string
  readonly groupPort?: number
  /** Of the datagrams, 0 to 1. */
  readonly loss?: number
  readonly facts?: Partial<Message<'session'>>
  /** What is sent to clients may be something else. */
  readonly falsify?: (message: ServerMessage) => ServerMessage | Uint8Array
}

export interface StreamServerDouble extends AsyncDisposable {
  readonly port: number
  readonly certificate: Certificate
  readonly group: string
  readonly groupPort: number
  readonly fingerprint: string
  readonly locator: StreamLocator
  readonly hub: SessionHub
  readonly sender: Sender
  /** What clients said, in order. */
  readonly heard: ClientMessage[]
  /** Datagrams go out, or silently don't. */
  multicast: 'on' | 'off'
  /** Send these bytes to the group as somebody else would. */
  spray(bytes: Uint8Array): void
  /** Cut every control connection. */
  cut(): void
  /** Tell everyone that it is over. */
  stop(reason?: Message<'end'>['reason'], text?: string): void
}

const loopback = '127.0.0.1'
let groups = 0

export async function startStreamServer(options: StreamServerOptions): Promise<StreamServerDouble> {
  const { image, blockBytes = 64 * 1024, symbolBytes = 1408, dataRate = 20e6, loss = 0 } = options
  const certificate = options.certificate ?? makeCertificate()
  const layout = planStream({ sizeBytes: image.length, blockBytes, symbolBytes })
  const blockOf = (block: number) =>
    image.subarray(block * blockBytes, block * blockBytes + layout.lengthOf(block))
  const hashes = Array.from({ length: layout.blocks }, (_, block) =>
    Uint8Array.from(createHash('sha256').update(blockOf(block)).digest()),
  )
  const root = rootOfBlocks(
    { blockBytes, hashes: Uint8Array.from(Buffer.concat(hashes)) },
    { diskBytes: image.length },
  )
  const der = Uint8Array.from(new X509Certificate(certificate.certificate).raw)
  const fingerprint = Uint8Array.from(createHash('sha256').update(der).digest())
  const salt = Uint8Array.from(randomBytes(16))
  const hub = createSessionHub({ salt, fingerprint, nonce: () => Uint8Array.from(randomBytes(32)) })
  // Another one for every server, so that tests at the same time don't hear each other.
  groups += 1
  const group = options.group ?? `239.255.${process.pid % 256}.${groups % 256}`
  const groupPort = options.groupPort ?? 20_000 + ((process.pid * 7 + groups) % 20_000)
  const facts: Message<'session'> = {
    kind: 'session',
    sessionId: Uint8Array.from(randomBytes(16)),
    key: Uint8Array.from(randomBytes(16)),
    tag: randomBytes(4).readUInt32BE(0),
    name: 'lab',
    imageName: options.imageName ?? 'lab.dmg',
    imageFormat: 'UDZO',
    sizeBytes: image.length,
    blockBytes,
    symbolBytes,
    root: Uint8Array.from(Buffer.from(root, 'hex')),
    group,
    port: groupPort,
    dataRate,
    reportEveryMs: 250,
    ...options.facts,
  }
  const sender = createSender({
    layout,
    dataRate,
    datagramBytes: symbolBytes + datagramHeaderBytes + networkHeaderBytes,
    considerate: 'on',
    clientDataRate: null,
    feedback: { kind: 'demand' },
  })
  hub.add({
    facts,
    sender,
    hashesFrom: (first, most) => Buffer.concat(hashes.slice(first, first + most)),
    blocks: layout.blocks,
    startRule: options.startRule ?? { clients: 1, afterLastJoinMs: null },
    admission: options.admission ?? [],
    passwordKey: options.password === undefined ? null : await passwordKey(options.password, salt),
    mostClients: options.mostClients ?? 100,
    whenFinished: 'stays',
  })

  const now = () => performance.now()
  const sockets = new Map<string, TLSSocket>()
  const heard: ClientMessage[] = []
  const say = (socket: TLSSocket | undefined, message: ServerMessage) => {
    const said = options.falsify?.(message) ?? message
    socket?.write(said instanceof Uint8Array ? said : encodeMessage(said))
  }
  const carry = (outputs: readonly HubOutput[]) => {
    for (const output of outputs) {
      if (output.kind === 'ended' || output.kind === 'returned') continue
      if (output.kind === 'command' || output.kind === 'guessing') continue
      const socket = sockets.get(output.connection)
      if (output.kind === 'send') say(socket, output.message)
      else if (output.kind === 'close') socket?.end()
      else {
        say(socket, { kind: 'block', block: output.block, bytes: Uint8Array.from(blockOf(output.block)) })
        carry(hub.blockSent(output.connection))
      }
    }
  }
  let connections = 0
  const server = createServer({ key: certificate.key, cert: certificate.certificate }, (socket) => {
    const name = `connection ${(connections += 1)}`
    const reader = createFrameReader({ peer: name, from: 'client' })
    sockets.set(name, socket)
    socket.on('data', (bytes) => {
      for (const message of reader.read(bytes) as ClientMessage[]) {
        heard.push(message)
        carry(hub.message(name, message, now()))
      }
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(name)
      hub.disconnected(name)
    })
    carry(hub.connected(name, loopback, now()))
  })
  server.on('tlsClientError', () => undefined)
  await listen(server, options.port ?? 0)
  const { port } = server.address() as { port: number }

  const socket = await openSender(group, groupPort)
  const coder = createDatagramCoder(facts)
  const symbols = createSymbolSource(layout, createErasureCode(symbolBytes), blockOf)
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  const send = () => {
    for (let count = 0; ; count++) {
      if (isClosed) return
      const step = sender.next(now())
      if (step.kind === 'wait' || count === 256) {
        const waitMs = step.kind === 'wait' ? step.untilMs - now() : 0
        timer = setTimeout(send, Math.min(20, Math.max(0, waitMs)))
        return
      }
      const bytes = coder.encode(
        step.kind === 'symbol' ? { ...step, payload: symbols.symbol(step.section, step.number) } : step,
      )
      if (double.multicast === 'on' && Math.random() >= loss) socket.send(bytes)
    }
  }
  const ticker = setInterval(() => carry(hub.tick(now())), 100)

  const hex = Buffer.from(fingerprint).toString('hex')
  const double: StreamServerDouble = {
    port,
    certificate,
    group,
    groupPort,
    fingerprint: hex,
    locator: { host: loopback, port, session: null, fingerprint: hex },
    hub,
    sender,
    heard,
    multicast: 'on',
    spray: (bytes) => socket.send(bytes),
    cut() {
      for (const each of sockets.values()) each.destroy()
    },
    stop: (reason = 'stopped', text = '') => carry(hub.stop(facts.name, { reason, text })),
    async [Symbol.asyncDispose]() {
      if (isClosed) return
      isClosed = true
      clearTimeout(timer)
      clearInterval(ticker)
      double.cut()
      await new Promise((resolve) => server.close(resolve))
      await new Promise<void>((resolve) => socket.close(resolve))
    },
  }
  send()
  return double
}

async function openSender(group: string, port: number): Promise<Socket> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, loopback, resolve))
  socket.setMulticastInterface(loopback)
  socket.setMulticastTTL(1)
  await new Promise<void>((resolve) => socket.connect(port, group, resolve))
  return socket
}

/**
 * On the port of a server that has just ended, too: a program that is being started in this very moment, as clients start one for
 * their sockets, holds what was open a few milliseconds longer.
 */
async function listen(server: Server, port: number): Promise<void> {
  for (let tries = 0; ; tries++)
    try {
      server.listen(port, loopback)
      await once(server, 'listening')
      return
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!isTaken || port === 0 || tries === 50) throw error
      await sleep(20)
    }
}
