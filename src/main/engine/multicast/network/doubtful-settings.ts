/** What a stream may be set to and had better not be, where others use its network: said before it starts, and as long as it runs. */
import { NetworkError, serializeError, type SerializedError } from '#shared/errors'
import type { NetworkInterface, ServerConfiguration } from '#shared/model'

/** Of what a link can do, a stream that takes more is felt by everyone else. */
const muchOfLink = 0.5

/** E_MC_RATE; null: the link has room for others, or nobody knows how fast it is. */
export function rateTrouble(
  dataRate: number,
  via: Pick<NetworkInterface, 'linkBitsPerSecond'> | null,
): SerializedError | null {
  const link = via?.linkBitsPerSecond ?? null
  if (link === null || dataRate <= (link / 8) * muchOfLink) return null
  return serializeError(
    new NetworkError('E_MC_RATE', 'much of the link', {
      details: { address: '', phase: 'rate', dataRate, linkBytesPerSecond: link / 8 },
    }),
  )
}

/** E_MC_TTL. */
export const ttlTrouble = (ttl: number): SerializedError =>
  serializeError(
    new NetworkError('E_MC_TTL', `a TTL of ${ttl}`, { details: { address: '', phase: 'ttl', ttl } }),
  )

/** Of a stream that is sent on that interface. */
export function doubtfulSettings(
  { dataRate, ttl }: Pick<ServerConfiguration, 'dataRate' | 'ttl'>,
  via: Pick<NetworkInterface, 'address' | 'linkBitsPerSecond'>,
): readonly SerializedError[] {
  // There is no router on the way to oneself.
  const isLoopback = via.address.startsWith('127.')
  return [rateTrouble(dataRate, via), ttl === 1 && !isLoopback ? ttlTrouble(ttl) : null].filter(
    (trouble) => trouble !== null,
  )
}
