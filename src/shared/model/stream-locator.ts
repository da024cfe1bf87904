/**
 * `asr://host[:port][/session][#fingerprint]`: a multicast stream as a source. Pure text.
 */
import { composedName } from './session-name.ts'

export interface StreamLocator {
  /** A name or an address, an IPv6 one without its brackets, with its zone where it has one: `fe80::1%eth0`. */
  readonly host: string
  readonly port: number
  /** Composed. Null: the only one, or the first that takes us. */
  readonly session: string | null
  /** SHA-256 of the server's certificate, 64 hex digits in lower case; null: whoever answers is believed. */
  readonly fingerprint: string | null
}

/** asr's port. */
export const defaultStreamPort = 7800

export const isStreamLocator = (locator: string): boolean => /^asr:\/\//i.test(locator)

/** Null for what isn't one. */
export function parseStreamLocator(locator: string): StreamLocator | null {
  // A zone stands behind `%`, which RFC 6874 wants written as `%25`.
  const [, address, zone, plain, portText, path, fragment] =
    /^asr:\/\/(?:\[([0-9a-f:.]+)(?:%(?:25(?=[^\]]))?([\w.~-]{1,32}))?\]|([^/?#:@[\]\s]+))(?::(\d{1,5}))?(?:\/([^?#]*))?(?:#(.*))?$/i.exec(
      locator,
    ) ?? []
  const host = address === undefined ? plain : zone === undefined ? address : `${address}%${zone}`
  if (host === undefined) return null
  const port = portText === undefined ? defaultStreamPort : Number(portText)
  if (port < 1 || port > 65_535) return null
  const fingerprint =
    fragment === undefined || fragment === '' ? null : fragment.replaceAll(':', '').toLowerCase()
  if (fingerprint !== null && !/^[0-9a-f]{64}$/.test(fingerprint)) return null
  let session: string | null = null
  try {
    session = path === undefined || path === '' ? null : composedName(decodeURIComponent(path))
  } catch {
    return null
  }
  if (session !== null && (session.length > 255 || /[\p{Cc}\p{Cf}]/u.test(session))) return null
  return { host, port, session, fingerprint }
}

/** The shortest that says the same. */
export function formatStreamLocator({ host, port, session, fingerprint }: StreamLocator): string {
  const where = host.includes(':') ? `[${host.replace('%', '%25')}]` : host
  const portText = port === defaultStreamPort ? '' : `:${port}`
  const path = session === null ? '' : `/${encodeURIComponent(session)}`
  return `asr://${where}${portText}${path}${fingerprint === null ? '' : `#${fingerprint}`}`
}
