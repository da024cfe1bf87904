/**
 * The web host's only door: an HTTP server on the loopback interface that gives out the window's files, exchanges a
 * link's token for a session, and upgrades to the WebSocket the window speaks through.
 *
 * A web page from elsewhere, open in the same browser, can make the browser send requests here. It can't set `Origin`
 * or `Host`, so both must be exactly ours (a name that points to 127.0.0.1 isn't), and it has no session key.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { FrameTransport } from '#shared/contract'
import { maxFrameBytes, webCloseCodes, webProtocol } from '#shared/contract'
import type { Logger } from '#shared/log'
import type { PageFiles } from '#main/ui-host'
import { securityHeaders } from '#main/ui-host'
import { Access } from './access.ts'
import { socketTransport } from './socket-transport.ts'

export interface WebServerOptions {
  /** 0: any free port. */
  readonly port: number
  readonly files: PageFiles
  /** A window connected. */
  readonly serve: (transport: FrameTransport) => void
  readonly log: Logger
}

export interface WebServer extends AsyncDisposable {
  readonly origin: string
  /** An address that opens the window, once. */
  link(): string
}

const address = '127.0.0.1'
/** More tabs nobody has open. */
const maxSockets = 50
const maxBodyBytes = 256
/** So long a tab that was refused may take to read why. */
const closingMs = 1000

/** Throws what listening throws (`EADDRINUSE`). */
export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 16 * 1024 })
  server.maxConnections = 4 * maxSockets
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port: options.port, exclusive: true }, resolve)
  })
  const at = originAt((server.address() as AddressInfo).port)
  const access = new Access()
  const door = new Door(options, access, at)
  server.on('request', (request, response) => void door.request(request, response))
  server.on('upgrade', (request, socket, head) => door.upgrade(request, socket, head))
  return {
    origin: at.origin,
    link: () => `${at.origin}/?token=${access.issueToken()}`,
    [Symbol.asyncDispose]: () => door.close(server),
  }
}

/** As browsers write it in `Host` and `Origin`: without a port that is the usual one. */
export const originAt = (port: number): Pick<URL, 'host' | 'origin'> => new URL(`http://${address}:${port}`)

class Door {
  readonly #options: WebServerOptions
  readonly #access: Access
  readonly #at: Pick<URL, 'host' | 'origin'>
  readonly #headers: { readonly [name: string]: string }
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    // The key is a protocol, too: the answer must name the other one.
    handleProtocols: (offered) => (offered.has(webProtocol) ? webProtocol : false),
  })

  /** Those with a session. */
  readonly #tabs = new Set<WebSocket>()

  constructor(options: WebServerOptions, access: Access, at: Pick<URL, 'host' | 'origin'>) {
    this.#options = options
    this.#access = access
    this.#at = at
    this.#headers = securityHeaders({ connect: [`ws://${at.host}`] })
  }

  async request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(this.#headers)) response.setHeader(name, value)
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    if (request.headers.host !== this.#at.host) return this.#refuse(response, 403, 'wrong host')
    if (path === '/session') return this.#exchange(request, response)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return this.#refuse(response, 405, 'only GET')
    }
    const file = this.#options.files.get(path)
    if (file === undefined) return this.#refuse(response, 404, 'not here')
    response.setHeader('Content-Type', file.type)
    response.setHeader('Content-Length', file.bytes.length)
    response.setHeader('Cache-Control', file.immutable ? 'max-age=31536000, immutable' : 'no-store')
    response.end(request.method === 'GET' ? file.bytes : undefined)
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const refusal = this.#refusalOf(request)
    if (refusal !== null) {
      this.#options.log.warn('a connection was refused', {
        why: refusal,
        origin: request.headers.origin ?? null,
      })
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const key = protocolsOf(request).find((protocol) => protocol !== webProtocol) ?? ''
    this.#sockets.handleUpgrade(request, socket, head, (tab) => {
      // Refused only now, because a page learns nothing of an upgrade that failed, but can read why it was closed.
      if (!this.#access.isSession(key)) {
        tab.on('error', () => tab.terminate())
        tab.close(webCloseCodes.noSession, 'no session')
        setTimeout(() => tab.terminate(), closingMs).unref()
        return
      }
      this.#tabs.add(tab)
      tab.once('close', () => this.#tabs.delete(tab))
      this.#options.serve(socketTransport(tab))
    })
  }

  async close(server: Server): Promise<void> {
    const ended = new Promise((resolve) => server.close(resolve))
    for (const tab of this.#sockets.clients) tab.close(webCloseCodes.ending, 'ending')
    const timer = setTimeout(() => {
      for (const tab of this.#sockets.clients) tab.terminate()
      server.closeAllConnections()
    }, 500)
    server.closeIdleConnections()
    await ended
    clearTimeout(timer)
    this.#sockets.close()
  }

  #refusalOf(request: IncomingMessage): string | null {
    if (request.headers.host !== this.#at.host) return 'wrong host'
    if (request.headers.origin !== this.#at.origin) return 'wrong origin'
    if (request.url !== '/rpc') return 'wrong path'
    if (!protocolsOf(request).includes(webProtocol)) return 'wrong protocol'
    if (this.#tabs.size >= maxSockets) return 'too many tabs'
    return null
  }

  async #exchange(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') return this.#refuse(response, 405, 'only POST')
    if (request.headers.origin !== this.#at.origin) {
      return this.#refuse(response, 403, 'wrong origin')
    }
    const key = this.#access.exchange(await readBody(request))
    if (key === null) return this.#refuse(response, 403, 'not a good token')
    response.setHeader('Content-Type', 'text/plain; charset=utf-8')
    response.setHeader('Cache-Control', 'no-store')
    response.end(key)
  }

  #refuse(response: ServerResponse, status: number, why: string): void {
    if (status === 403) this.#options.log.warn('a request was refused', { why })
    response.statusCode = status
    response.setHeader('Content-Type', 'text/plain; charset=utf-8')
    response.setHeader('Connection', 'close')
    response.end(`${why}\n`)
  }
}

function protocolsOf(request: IncomingMessage): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim())
}

/** A token's worth of body; '' when it is longer or breaks off. */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > maxBodyBytes) return ''
      chunks.push(chunk)
    }
  } catch {
    // The connection broke: nobody waits for an answer.
    return ''
  }
  return Buffer.concat(chunks).toString('latin1')
}
