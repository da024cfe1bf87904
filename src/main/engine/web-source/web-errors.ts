/**
 * What goes wrong on the way to a server and back, as our errors. One place for Node's, OpenSSL's and the system's names.
 * Addresses in errors have no name, no password and no query: what stands there may be a key.
 */
import { AppError, DeviceError, NetworkError, type NetworkCode } from '#shared/errors'

/** The address as errors, logs and windows show it. */
export const shownUrl = (url: URL): string => `${url.origin}${url.pathname}`

const tlsReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  CERT_REVOKED: 'revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-issuer',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-issuer',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-issuer',
  CERT_UNTRUSTED: 'unknown-issuer',
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-host',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not-tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not-tls',
}

/** What else Node and OpenSSL call a certificate that won't do, or a handshake that failed. */
const otherTls =
  /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|INVALID_(CA|PURPOSE)|PATH_LENGTH|HOSTNAME_MISMATCH|ERROR_IN_CERT|EPROTO$)/

function tlsReason(error: Error, code: string): string | null {
  // Some servers answer a handshake in plain text.
  if (code === 'EPROTO' && /wrong version number|packet length too long|http request/.test(error.message))
    return 'not-tls'
  return tlsReasons[code] ?? (otherTls.test(code) ? 'other' : null)
}

/** What a name server or a route says only for the moment. */
const passing = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENETDOWN',
  'ENETUNREACH',
  'EHOSTUNREACH',
])

interface Failure {
  readonly url: URL
  readonly phase: 'connect' | 'answer' | 'body'
  /** What the request went through. */
  readonly proxy: URL | null
}

/** What Node said, as ours. Errors of ours, and what isn't known as one of the network, come back as they are. */
export function networkFailure(error: unknown, { url, phase, proxy }: Failure): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const details = { address: shownUrl(url), host: url.host, phase }
  const reason = tlsReason(error, code)
  if (proxy !== null && (code.startsWith('ERR_PROXY') || (phase === 'connect' && reason === null)))
    return new NetworkError('E_NET_PROXY', proxyWords(error, code), {
      details: { ...details, proxy: proxy.host, errno: code },
      cause: error,
      transient: passing.has(code),
    })
  if (reason !== null)
    return new NetworkError('E_NET_TLS', `${url.host}: ${error.message}`, {
      details: { ...details, reason, ...certificateNames(error) },
      cause: error,
    })
  if (code.startsWith('HPE_'))
    return answerError(url, `the answer can't be read: ${error.message}`, { field: 'header', found: code })
  // An answer that breaks off has no code but this message.
  const errno = code === '' && /aborted|premature|hang up/i.test(error.message) ? 'ECONNRESET' : code
  return new NetworkError('E_NET', `${phase} ${url.host}: ${errno === '' ? error.message : errno}`, {
    details: { ...details, errno },
    cause: error,
    transient: passing.has(errno) || phase !== 'connect',
  })
}

/** The status a proxy answered a CONNECT with, where it did. */
function proxyWords(error: Error, code: string): string {
  const status = /HTTP\/1\.\d (\d{3})/.exec(error.message)?.[1]
  if (status === '407') return 'it asks for a name and a password'
  if (status !== undefined) return `it answered with status ${status}`
  return code === 'ECONNREFUSED'
    ? 'nobody answers there'
    : code === 'ENOTFOUND'
      ? 'there is no such host'
      : code
}

function certificateNames(error: Error): { readonly names?: string } {
  const certificate = 'cert' in error ? (error.cert as { subjectaltname?: string } | undefined) : undefined
  const names = certificate?.subjectaltname?.replaceAll(/\b(DNS|IP Address):/g, '').slice(0, 200)
  return names === undefined ? {} : { names }
}

export function answerError(
  url: URL,
  message: string,
  details: { readonly field: string; readonly found?: string | number; readonly expected?: string | number },
): NetworkError {
  return new NetworkError('E_NET_ANSWER', `${url.host}: ${message}`, {
    details: { address: shownUrl(url), host: url.host, phase: 'answer', ...details },
  })
}

/** The connection ended before all was there that had been promised. */
export function cutShort(url: URL, found: number): NetworkError {
  return new NetworkError('E_NET', 'the connection ended before everything was there', {
    details: { address: shownUrl(url), host: url.host, phase: 'body', found },
    transient: true,
  })
}

export function stalled(url: URL, phase: Failure['phase'], silentMs: number): NetworkError {
  const seconds = Math.max(1, Math.round(silentMs / 1000))
  return new NetworkError('E_NET_STALL', `${url.host} has been silent for ${seconds} s`, {
    details: { address: shownUrl(url), host: url.host, phase, seconds },
    transient: true,
  })
}

/** The file isn't what it was when it was opened. */
export function changedOnServer(url: URL, was: string, is: string): DeviceError {
  return new DeviceError('E_SRC_CHANGED', `${shownUrl(url)} has changed on the server`, {
    details: { path: shownUrl(url), expected: was, found: is },
  })
}

/** For an answer that isn't 200, 206 or 416. */
export function statusError(
  url: URL,
  status: number,
  { challenge, given }: { readonly challenge: string | undefined; readonly given: boolean },
): NetworkError {
  const details = { address: shownUrl(url), host: url.host, phase: 'answer', status }
  let code: NetworkCode = 'E_NET_STATUS'
  let more = {}
  if (status === 401) {
    code = 'E_NET_PASSWORD'
    const scheme = /^\s*([\w-]+)/.exec(challenge ?? '')?.[1]
    const knows = challenge === undefined || /\bbasic\b/i.test(challenge)
    more = { given, ...(knows || scheme === undefined ? {} : { scheme }) }
  }
  return new NetworkError(code, `${url.host} answered with status ${status}`, {
    details: { ...details, ...more },
    transient: [408, 429, 500, 502, 503, 504].includes(status),
  })
}

export const tooMuch = (url: URL, expected: number): NetworkError =>
  answerError(url, 'more bytes than the part has', { field: 'length', expected, found: 'more' })
