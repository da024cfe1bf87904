/**
 * A web server of the tests' own, which does right (`serveFile`) or whatever a test wants it to do wrong. On loopback, on a
 * free port, gone with `await using`.
 */
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

export interface WebServer extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string
  readonly port: number
  /** What was asked, in order. */
  readonly requests: readonly IncomingMessage[]
  /** Closes every connection, as servers do after a while; resolves when the other end has had time to notice. */
  dropConnections(): Promise<void>
  /** Cuts every connection, and refuses others until it is back. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

export async function startWebServer(
  listener: RequestListener,
  tls?: { readonly key: string; readonly cert: string },
): Promise<WebServer> {
  const requests: IncomingMessage[] = []
  const sockets = new Set<Socket>()
  const counted: RequestListener = (request, response) => {
    requests.push(request)
    response.on('error', () => undefined)
    listener(request, response)
  }
  const server = tls === undefined ? createServer(counted) : createTlsServer(tls, counted)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  const listen = (port: number) =>
    new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', resolve)
    })
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    requests,
    async dropConnections() {
      for (const socket of sockets) socket.end()
      while (sockets.size > 0) await new Promise(setImmediate)
    },
    goAway: close,
    comeBack: () => listen(port),
    [Symbol.asyncDispose]: close,
  }
}

export interface Served {
  readonly bytes: Uint8Array
  readonly etag?: string
  readonly lastModified?: string
}

/** The range that was asked for; `to` exclusive. Null without one. */
export function askedRange(
  { headers }: IncomingMessage,
  sizeBytes: number,
): { readonly from: number; readonly to: number } | null {
  const match = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '')
  if (match === null) return null
  const last = match[2] === '' ? sizeBytes - 1 : Number(match[2])
  return { from: Number(match[1]), to: Math.min(last + 1, sizeBytes) }
}

/** As RFC 9110 has it: ranges, If-Range, 416. Returns how many bytes were sent. */
export function serveFile(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, etag, lastModified }: Served,
): number {
  const range = askedRange(request, bytes.length)
  const headers: OutgoingHttpHeaders = {
    'accept-ranges': 'bytes',
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { 'last-modified': lastModified }),
  }
  const condition = request.headers['if-range']
  const holds = condition === undefined || condition === etag || condition === lastModified
  if (range === null || !holds) {
    response.writeHead(200, { ...headers, 'content-length': bytes.length })
    response.end(bytes)
    return bytes.length
  }
  if (range.from >= bytes.length) {
    response.writeHead(416, { ...headers, 'content-range': `bytes */${bytes.length}` })
    response.end()
    return 0
  }
  response.writeHead(206, {
    ...headers,
    'content-range': `bytes ${range.from}-${range.to - 1}/${bytes.length}`,
    'content-length': range.to - range.from,
  })
  response.end(bytes.subarray(range.from, range.to))
  return range.to - range.from
}
