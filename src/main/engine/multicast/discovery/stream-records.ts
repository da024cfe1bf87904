/** How a stream is told of by DNS-SD (RFC 6763): its type, and what its TXT record says. */
import { formatStreamLocator, type FoundStream } from '#shared/model'
import type { DnsName } from './dns-message.ts'

/** asr's. */
export const serviceName: DnsName = ['_asr', '_tcp', 'local']
/** RFC 6763 §9: where all types are listed. */
export const typesName: DnsName = ['_services', '_dns-sd', '_udp', 'local']

/** A stream to tell the network of. */
export interface Advertisement {
  /** The session's name, which fits: see `longestSessionName`. */
  readonly session: string
  readonly imageName: string
  readonly sizeBytes: number
  /** 64 hex digits. */
  readonly fingerprint: string
  /** IPv4, of the interface it is told on. */
  readonly address: string
  readonly port: number
}

/** Version of what the strings mean. */
const version = '1'
const mostStringBytes = 255
const mostLabelBytes = 63

/** As many whole characters as fit. */
function cut(text: string, mostBytes: number): string {
  const bytes = Buffer.from(text, 'utf8')
  let end = Math.min(bytes.length, mostBytes)
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}

const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu

/** The name among all streams of the network; `number` tells those apart who would have the same. */
export function instanceLabel(session: string, number: number): string {
  const tail = number === 1 ? '' : ` (${number})`
  return `${cut(session.replaceAll(unprintable, '?'), mostLabelBytes - tail.length)}${tail}`
}

/** The machine's own name as mDNS has it: what stands before the first dot. */
export function hostName(name: string): DnsName {
  const [first = ''] = name.split('.')
  return [cut(first.replaceAll(/[^\p{L}\p{N}-]/gu, '-'), mostLabelBytes) || 'reprise', 'local']
}

export function encodeText(advertisement: Advertisement): readonly Uint8Array[] {
  const { session, imageName, sizeBytes, fingerprint } = advertisement
  const image = cut(imageName, mostStringBytes - 'image='.length)
  return Object.entries({ version, session, image, size: `${sizeBytes}`, fingerprint }).map(([key, value]) =>
    Uint8Array.from(Buffer.from(`${key}=${value}`, 'utf8')),
  )
}

/** What a service on the network says of itself, in our words. Whatever it lacks or tells wrong is left out. */
export function readService(
  name: string,
  where: { readonly host: string; readonly address: string; readonly port: number },
  strings: readonly Uint8Array[],
): FoundStream {
  const text = new Map<string, string>()
  for (const string of strings) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(Buffer.from(string).toString('utf8')) ?? []
    // RFC 6763 §6.4: "If a client receives a TXT record containing the same key more than once", the first counts.
    if (key !== undefined && value !== undefined && !text.has(key.toLowerCase()))
      text.set(key.toLowerCase(), value.replaceAll(unprintable, '?'))
  }
  const fingerprint = text.get('fingerprint')?.toLowerCase() ?? ''
  const size = text.get('size') ?? ''
  const session = text.get('session') ?? ''
  const pinned = /^[0-9a-f]{64}$/.test(fingerprint) ? fingerprint : null
  return {
    name: name.replaceAll(unprintable, '?'),
    ...where,
    session,
    imageName: text.get('image') ?? '',
    sizeBytes: /^\d{1,15}$/.test(size) ? Number(size) : null,
    fingerprint: pinned,
    locator: formatStreamLocator({
      host: where.address,
      port: where.port,
      session: session === '' ? null : session,
      fingerprint: pinned,
    }),
  }
}
