/**
 * Computers that have proven to know a password: somebody at their address who guesses doesn't make them wait. By their clientId,
 * which nobody else knows, or when they were started again, by address, name and hardware, which others may. So one wrong proof takes
 * it away until the next right one, and it holds for that password alone: who guesses gains no more tries than there are right
 * proofs by others.
 */
import { createHash } from 'node:crypto'
import type { Message } from '#engine/multicast/wire'

type Claims = Pick<Message<'hello'>, 'clientId' | 'hostName' | 'hardwareAddresses'>

export interface KnownComputers {
  has(claims: Claims, address: string, key: Uint8Array): boolean
  add(claims: Claims, address: string, key: Uint8Array): void
  remove(claims: Claims, address: string, key: Uint8Array): void
}

/** Of more the first are forgotten. */
const mostKnown = 16_384

export function createKnownComputers(): KnownComputers {
  /** Digests, so that all are of one length. */
  const known = new Set<string>()
  return {
    has: (...who) => namesOf(...who).some((name) => known.has(name)),
    add(...who) {
      for (const name of namesOf(...who)) {
        known.delete(name)
        known.add(name)
        const [first] = known
        if (known.size > mostKnown && first !== undefined) known.delete(first)
      }
    },
    remove(...who) {
      for (const name of namesOf(...who)) known.delete(name)
    },
  }
}

function namesOf(
  { clientId, hostName, hardwareAddresses }: Claims,
  address: string,
  key: Uint8Array,
): readonly string[] {
  const hardware = hardwareAddresses.map((bytes) => Buffer.from(bytes).toString('hex')).toSorted()
  const names = [['client', Buffer.from(clientId).toString('hex')]]
  if (hardware.length > 0) names.push(['computer', address, hostName, ...hardware])
  return names.map((parts) => createHash('sha256').update(key).update(JSON.stringify(parts)).digest('base64'))
}
