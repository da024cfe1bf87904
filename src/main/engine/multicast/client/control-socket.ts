/**
 * A connection to a server's control port, as messages: TLS, the fingerprint compared, frames read and written. Pulled from:
 * while nobody asks for the next message, the server has to wait. Knows nothing of what the messages mean.
 */
import { createHash } from 'node:crypto'
import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import {
  createFrameReader,
  encodeMessage,
  type ClientMessage,
  type ServerMessage,
} from '#engine/multicast/wire'
import { AppError, NetworkError } from '#shared/errors'

export interface ControlTarget {
  readonly host: string
  readonly port: number
  /** SHA-256 of the certificate, 64 hex digits in lower case; null: whoever answers is believed. */
  readonly fingerprint: string | null
  readonly signal: AbortSignal
  /** Who says nothing for so long is gone. Default 10 s: a server says where the stream is each second. */
  readonly silentMs?: number
  /** Of a host's name. Default: the system's. */
  readonly lookup?: LookupFunction
}

export interface ControlSocket {
  /** `host:port`, for messages. */
  readonly peer: string
  /** SHA-256 of the server's certificate, 32 bytes. */
  readonly fingerprint: Uint8Array
  /** Of this end, with the zone that the server's has: tells which interface leads to the server. */
  readonly localAddress: string
  /** When the last byte of it came, by `performance.now()`. */
  readonly heardMs: number
  /** Written, but not yet taken by the system. */
  readonly unsentBytes: number
  send(message: ClientMessage): void
  /** One caller at a time. Rejects with NetworkError: E_NET when the connection is lost, E_MC_PROTOCOL; with the signal's reason. */
  next(): Promise<ServerMessage>
  /** What was sent goes out, then the connection is closed; resolves then, or soon. */
  end(): Promise<void>
  destroy(): void
}

/** Server and network have so long for the connection and its handshake. */
const dialMs = 10_000
/** A server says where it is each second; one that says nothing for so long is gone. */
const usualSilentMs = 10_000
const endMs = 1000
/** More whole messages aren't kept: the server waits. */
const keptMessages = 4

/** Rejects with NetworkError E_NET, E_MC_PROTOCOL (no TLS there), E_MC_FINGERPRINT; with the signal's reason. */
export async function dialControl(target: ControlTarget): Promise<ControlSocket> {
  const { host, port, signal, lookup: find = lookup } = target
  signal.throwIfAborted()
  const peer = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const socket = connect({
    host,
    port,
    // The stream is IPv4, and so are most rules of who may join. Where that way leads nowhere, the other one is tried.
    lookup: (name, options, done) => find(name, { ...options, order: 'ipv4first' }, done),
    ...(isIP(host.replace(/%.*$/, '')) === 0 ? { servername: host } : {}),
    // Self-signed on purpose: the fingerprint says who it is.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
  })
  socket.setNoDelay(true)
  try {
    await handshake(socket, peer, signal)
    const fingerprint = fingerprintOf(socket, target, peer)
    // The system doesn't say it of this end.
    const zone = /%.+$/.exec(host)?.[0] ?? ''
    return watch(socket, { peer, zone, fingerprint, signal, silentMs: target.silentMs ?? usualSilentMs })
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function handshake(socket: TLSSocket, peer: string, signal: AbortSignal): Promise<void> {
  const timeout = AbortSignal.timeout(dialMs)
  const either = AbortSignal.any([signal, timeout])
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void) => {
      either.removeEventListener('abort', giveUp)
      socket.off('secureConnect', secure)
      socket.off('error', fail)
      socket.off('close', close)
      // Errors that come late are nobody's business any more.
      socket.on('error', () => undefined)
      act()
    }
    const giveUp = () =>
      settle(() =>
        reject(
          signal.aborted ? signal.reason : lost(peer, `no answer within ${dialMs / 1000} s`, 'ETIMEDOUT'),
        ),
      )
    const secure = () => settle(resolve)
    const fail = (error: NodeJS.ErrnoException) => settle(() => reject(connectFailure(peer, error)))
    const close = () => settle(() => reject(lost(peer, 'the connection was closed before it was secure')))
    either.addEventListener('abort', giveUp, { once: true })
    socket.once('secureConnect', secure)
    socket.once('error', fail)
    socket.once('close', close)
  })
}

function fingerprintOf(socket: TLSSocket, { fingerprint }: ControlTarget, peer: string): Uint8Array {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) throw foreign(peer, 'it shows no certificate')
  const found = createHash('sha256').update(certificate.raw).digest()
  if (fingerprint !== null && found.toString('hex') !== fingerprint)
    throw new NetworkError('E_MC_FINGERPRINT', 'the certificate has another fingerprint', {
      details: { address: peer, phase: 'control', found: found.toString('hex'), expected: fingerprint },
    })
  return Uint8Array.from(found)
}

/** Of a connection that stands: its messages, and its end. */
function watch(
  socket: TLSSocket,
  {
    peer,
    zone,
    fingerprint,
    signal,
    silentMs,
  }: {
    readonly peer: string
    readonly zone: string
    readonly fingerprint: Uint8Array
    readonly signal: AbortSignal
    readonly silentMs: number
  },
): ControlSocket {
  const reader = createFrameReader({ peer, from: 'server' })
  const kept: ServerMessage[] = []
  let failure: unknown = null
  let wanted: {
    readonly resolve: (message: ServerMessage) => void
    readonly reject: (error: unknown) => void
  } | null = null
  let heardMs = performance.now()

  const serve = () => {
    if (wanted === null) return
    const { resolve, reject } = wanted
    const message = kept.shift()
    if (message === undefined && failure === null) return
    wanted = null
    if (message === undefined) reject(failure)
    else resolve(message)
    if (kept.length < keptMessages) socket.resume()
  }
  const fail = (error: unknown) => {
    failure ??= error
    clearInterval(patience)
    signal.removeEventListener('abort', stop)
    socket.destroy()
    serve()
  }
  const stop = () => fail(signal.reason)
  const patience = setInterval(() => {
    // Who doesn't ask can't hear.
    if (socket.isPaused()) heardMs = performance.now()
    if (performance.now() - heardMs >= silentMs) fail(lost(peer, `it said nothing for ${silentMs / 1000} s`))
  }, 1000)
  signal.addEventListener('abort', stop, { once: true })

  socket.on('data', (bytes) => {
    heardMs = performance.now()
    try {
      // What a server may say is all that the reader of its frames lets through.
      kept.push(...(reader.read(bytes) as ServerMessage[]))
    } catch (error) {
      AppError.accept(error)
      return fail(error)
    }
    serve()
    if (kept.length >= keptMessages) socket.pause()
  })
  socket.on('error', (error: NodeJS.ErrnoException) => fail(connectFailure(peer, error)))
  socket.on('close', () => fail(lost(peer, 'the server closed the connection')))

  return {
    peer,
    fingerprint,
    localAddress: `${(socket.localAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '')}${zone}`,
    get heardMs() {
      return heardMs
    },
    get unsentBytes() {
      return socket.writableLength
    },
    send(message) {
      if (failure === null) socket.write(encodeMessage(message))
    },
    next: () =>
      new Promise((resolve, reject) => {
        wanted = { resolve, reject }
        serve()
      }),
    async end() {
      if (failure !== null) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, endMs)
        socket.once('close', () => {
          clearTimeout(timer)
          resolve()
        })
        socket.resume()
        socket.end()
      })
      fail(lost(peer, 'the connection was closed'))
    },
    destroy: () => fail(lost(peer, 'the connection was closed')),
  }
}

const lost = (peer: string, why: string, errno?: string) =>
  new NetworkError('E_NET', why, {
    details: { address: peer, host: peer, phase: 'control', ...(errno === undefined ? {} : { errno }) },
    transient: true,
  })

const foreign = (peer: string, why: string) =>
  new NetworkError('E_MC_PROTOCOL', why, { details: { address: peer, phase: 'control' } })

function connectFailure(peer: string, error: NodeJS.ErrnoException): NetworkError {
  // OpenSSL's: the other side sent something, but not TLS, or a TLS that we don't speak.
  if (error.code?.startsWith('ERR_SSL') === true || error.code === 'EPROTO')
    return foreign(peer, "it doesn't speak TLS at that port")
  return new NetworkError('E_NET', error.message, {
    details: { address: peer, host: peer, phase: 'control', errno: error.code ?? '' },
    cause: error,
    transient: true,
  })
}
