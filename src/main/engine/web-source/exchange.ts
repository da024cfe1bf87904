/**
 * One question and the head of its answer, wherever redirects lead. The password of a server goes to that server alone:
 * to the same scheme, host and port.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { NetworkError } from '#shared/errors'
import { watchSilence } from './body.ts'
import { networkFailure, shownUrl, stalled } from './web-errors.ts'
import type { WebClient } from './web-client.ts'

export interface Exchange {
  /** Where the answer came from in the end. */
  readonly url: URL
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** To be taken or destroyed: the connection is busy until then. */
  readonly body: IncomingMessage
  /** A password was sent. */
  readonly gavePassword: boolean
}

export interface Question {
  readonly headers: { readonly [name: string]: string }
  readonly signal: AbortSignal | undefined
}

const mostRedirects = 10
const redirects = new Set([301, 302, 303, 307, 308])

/**
 * GET `url`. Throws NetworkError E_NET, E_NET_STALL, E_NET_TLS, E_NET_PROXY, E_NET_ANSWER (a head that can't be read or
 * has no end), E_NET_REDIRECT (more than ten, from https to http, to another scheme); the signal's reason.
 */
export async function exchange(client: WebClient, url: URL, question: Question): Promise<Exchange> {
  let at = url
  for (let count = 0; ; count++) {
    const answer = await ask(client, at, question)
    if (!redirects.has(answer.status)) return answer
    const location = answer.headers.location
    answer.body.on('error', () => undefined)
    answer.body.destroy()
    at = follow(at, location, count)
  }
}

function follow(from: URL, location: string | undefined, count: number): URL {
  const refused = (reason: string, details: { readonly to?: string; readonly count?: number }) =>
    new NetworkError('E_NET_REDIRECT', `${from.host} redirects: ${reason}`, {
      details: { address: shownUrl(from), host: from.host, phase: 'answer', reason, ...details },
    })
  if (count >= mostRedirects) throw refused('too-many', { count })
  const to = URL.parse(location ?? '', from.href)
  if (location === undefined || to === null) throw refused('nowhere', {})
  if (to.protocol !== 'http:' && to.protocol !== 'https:') throw refused('scheme', { to: to.protocol })
  if (from.protocol === 'https:' && to.protocol === 'http:') throw refused('downgrade', { to: shownUrl(to) })
  // A name and a password that a server puts there are none of ours.
  to.username = ''
  to.password = ''
  to.hash = ''
  return to
}

/** What every question says. */
export function headersFor(client: WebClient, url: URL): { readonly [name: string]: string } {
  const authorization = client.authorizationFor(url)
  return {
    'user-agent': 'Reprise',
    accept: '*/*',
    // What is compressed on the way can't be read in parts.
    'accept-encoding': 'identity',
    ...(authorization === null ? {} : { authorization }),
  }
}

function ask(client: WebClient, url: URL, { headers, signal }: Question): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const { agent, proxy } = client.route(url)
    // Loaded when they are needed: most images are files, and these take a while.
    const http = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http')
    const request = http.request(url, {
      agent,
      headers: { ...headersFor(client, url), ...headers },
    })
    let isSettled = false
    const end = (error: unknown) => {
      isSettled = true
      stop()
      request.on('error', () => undefined)
      request.destroy()
      reject(error)
    }
    const silence = watchSilence(client.stallMs, () => end(stalled(url, 'answer', client.stallMs)))
    const abort = () => end(signal?.reason)
    const stop = () => {
      silence.stop()
      signal?.removeEventListener('abort', abort)
    }
    let connected = false
    request.once('socket', (socket) => {
      connected = request.reusedSocket
      if (!connected)
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => (connected = true))
    })
    request.once('error', (error) => {
      if (isSettled) return
      // The server had closed a connection that was kept; the question goes out again on the next one.
      if (
        request.reusedSocket &&
        'code' in error &&
        (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      ) {
        isSettled = true
        stop()
        resolve(ask(client, url, { headers, signal }))
        return
      }
      end(networkFailure(error, { url, phase: connected ? 'answer' : 'connect', proxy }))
    })
    request.once('response', (body) => {
      isSettled = true
      stop()
      resolve({
        url,
        status: body.statusCode ?? 0,
        headers: body.headers,
        body,
        gavePassword: client.authorizationFor(url) !== null,
      })
    })
    signal?.addEventListener('abort', abort, { once: true })
    request.end()
  })
}
