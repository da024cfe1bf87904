/**
 * What became of each client of a session: how it stood whenever that changed, the last fifty times. Asked for one client at a time, by
 * who looks into why it failed; what everybody is told twice a second holds only how it is now. A thousand clients are kept, also of
 * sessions that ended: a change is one number.
 */
import { clientStates, type ClientChange, type SessionClient } from '#shared/model'

interface Kept {
  /** Oldest first. */
  readonly changes: number[]
  lossLevel: number
}

const mostChanges = 50

/** Of what was sent: over a twentieth is worth a look, over a fifth too much. Under `down` it is well again, so that it doesn't flicker. */
const lossLevels = [
  { up: 0.05, down: 0.03 },
  { up: 0.2, down: 0.15 },
]

export class ClientLog {
  #clients = new Map<string, Kept>()

  /** All that the session has, at each change. */
  heard(clients: readonly SessionClient[], atMs: number): void {
    const now = new Map<string, Kept>()
    for (const client of clients) {
      const kept = this.#clients.get(client.clientId) ?? { changes: [], lossLevel: 0 }
      note(kept, client, atMs)
      now.set(client.clientId, kept)
    }
    // Who isn't told of any more came back as another.
    this.#clients = now
  }

  /** Oldest first; none of a client that isn't known. */
  of(clientId: string): readonly ClientChange[] {
    return this.#clients.get(clientId)?.changes.map(decode) ?? []
  }
}

function note(kept: Kept, client: SessionClient, atMs: number): void {
  const { changes } = kept
  const level = lossLevel(client, kept.lossLevel)
  const change = encode(client, atMs)
  const last = changes.at(-1)
  const isSame = last !== undefined && standingOf(last) === standingOf(change) && level === kept.lossLevel
  kept.lossLevel = level
  if (isSame) return
  changes.push(change)
  if (changes.length > mostChanges) changes.shift()
}

/** Only who receives loses anything. */
function lossLevel({ state, loss }: SessionClient, before: number): number {
  if (state !== 'receiving' && state !== 'missing') return 0
  return lossLevels.filter(({ up, down }, index) => loss > (before > index ? down : up)).length
}

/*
 * One number, exact up to 2^53:
 *
 *     atMs (42 bits) | slow (1 bit) | state * 101 + percent (10 bits)
 */
const ofStanding = 2048
const ofSlow = 1024
const ofState = 101

function encode({ state, standing, loss }: SessionClient, atMs: number): number {
  const percent = Math.min(100, Math.max(0, Math.round(loss * 100)))
  const slow = standing === 'slow' ? ofSlow : 0
  return Math.round(atMs) * ofStanding + slow + clientStates.indexOf(state) * ofState + percent
}

/** State and standing, without time and loss. */
const standingOf = (change: number): number => {
  const rest = change % ofStanding
  return rest - ((rest % ofSlow) % ofState)
}

function decode(change: number): ClientChange {
  const rest = change % ofStanding
  return {
    atMs: Math.floor(change / ofStanding),
    state: clientStates[Math.floor((rest % ofSlow) / ofState)] ?? 'joined',
    standing: rest >= ofSlow ? 'slow' : 'well',
    lossPercent: (rest % ofSlow) % ofState,
  }
}
