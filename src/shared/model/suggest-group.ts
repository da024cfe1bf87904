import { composedName } from './session-name.ts'

/**
 * A multicast address for a session that was given none: 239.255.x.y, from its name, so that the same name has the same address on
 * every server, and different ones rarely do. Of the range that an organization may use as it likes (RFC 2365). Empty for no name.
 */
export function suggestGroup(name: string): string {
  if (name === '') return ''
  // FNV-1a, its upper half folded into the lower one.
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(composedName(name)))
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  hash ^= hash >>> 16
  return `239.255.${(hash >>> 8) & 255}.${1 + ((hash & 255) % 254)}`
}
