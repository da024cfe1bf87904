/** What whoever is in a session is told of it, again and again. */
import { maxHashesAtOnce, startsByHand, type ServerMessage } from '#engine/multicast/wire'
import type { Member, Offer } from './offer.ts'

const hashBytes = 32
/** As many as a message may hold. */
const mostListed = 256

/** Hashes that have become known since the last time, in order. */
export function newHashes(member: Member): ServerMessage[] {
  const { hashesFrom, blocks } = member.offer.session
  const messages: ServerMessage[] = []
  while (member.hashesTold < blocks) {
    const firstBlock = member.hashesTold
    const hashes = hashesFrom(firstBlock, maxHashesAtOnce)
    if (hashes.length === 0) break
    member.hashesTold += hashes.length / hashBytes
    messages.push({ kind: 'hashes', firstBlock, hashes })
  }
  return messages
}

/** Where the stream is, and until it starts, how many are here. */
export function position({ offer, clientId }: Member, nowMs: number): ServerMessage[] {
  const { sender, startRule } = offer.session
  const where = sender.positionFor(clientId)
  if (sender.state !== 'waiting') return [where]
  const wait = offer.wait(nowMs)
  const startsInMs = wait.kind === 'wait' ? wait.startsInMs : 0
  const waiting: ServerMessage = {
    kind: 'waiting',
    joined: offer.joined,
    wanted: startRule.clients ?? 0,
    startsInMs: startsInMs === null ? startsByHand : Math.ceil(startsInMs),
  }
  return [where, waiting]
}

/** All that are offered, for whoever asks. */
export function sessionList(offers: readonly Offer[], nowMs: number): ServerMessage {
  const sessions = offers.slice(0, mostListed).map((offer) => {
    const { name, imageName, sizeBytes, state, joined, wanted, startsInMs } = offer.status(nowMs)
    const startsIn = startsInMs === null ? startsByHand : Math.ceil(startsInMs)
    return { name, imageName, sizeBytes, state, joined, wanted: wanted ?? 0, startsInMs: startsIn }
  })
  return { kind: 'sessions', sessions }
}
