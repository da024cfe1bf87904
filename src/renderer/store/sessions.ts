/** What follows from the state of a session: who comes first, who is still at it, what would help. Pure. */
import {
  isSessionOver,
  isUnfinished,
  isUntouched,
  type FoundStream,
  type SessionClient,
  type SessionState,
} from '#shared/model'

/** What needs eyes stands first. */
const order: readonly SessionClient['state'][] = [
  'failed',
  'lost',
  'missing',
  'receiving',
  'verifying',
  'joined',
  'disconnected',
  'cancelled',
  'done',
]

/** `lab-9` before `lab-10`. */
const byName = new Intl.Collator(undefined, { numeric: true })

const rank = (client: SessionClient) =>
  order.indexOf(client.state) + (client.state === 'receiving' && isTroubled(client) ? -0.5 : 0)

/** Failures first, then who is slow or loses, then the others; by name among themselves, so that rows don't dance. */
export const inOrderOfConcern = (clients: readonly SessionClient[]): readonly SessionClient[] =>
  [...clients].sort(
    (a, b) => rank(a) - rank(b) || byName.compare(a.host, b.host) || byName.compare(a.clientId, b.clientId),
  )

const isTroubled = (client: SessionClient) => client.standing === 'slow' || lossTone(client.loss) !== 'well'

/** Over a twentieth is worth a look; over a fifth is more than a client can make up for. */
export const lossTone = (loss: number): 'well' | 'high' | 'too-high' =>
  loss > 0.2 ? 'too-high' : loss > 0.05 ? 'high' : 'well'

export const unfinished = (session: SessionState): number => session.clients.filter(isUnfinished).length

/** Those of them whose disks would be as they were: nothing was written there yet. */
export const untouched = ({ clients, phase }: SessionState): number =>
  clients.filter((client) => isUnfinished(client) && isUntouched(client, phase)).length

/** Those of them who have everything: they go on without the stream. */
export const verifying = ({ clients }: SessionState): number =>
  clients.filter(({ state }) => state === 'verifying').length

/** Until the last of those who keep up has all; null when it can't be told. */
export function sessionRemainingMs({
  clients,
  blocks,
  sizeBytes,
  sentBytesPerSecond,
  phase,
}: SessionState): number | null {
  if (phase !== 'streaming' || sentBytesPerSecond < 1 || blocks === 0) return null
  const receiving = clients.filter(
    ({ state, standing }) => (state === 'receiving' || state === 'missing') && standing === 'well',
  )
  if (receiving.length === 0) return null
  const least = Math.min(...receiving.map(({ blocksDone }) => blocksDone))
  return ((sizeBytes * (1 - least / blocks)) / sentBytesPerSecond) * 1000
}

/**
 * Those on the network that aren't of this computer, which hears itself announce. A server has one certificate for all its streams;
 * asr's announce none.
 */
export const othersStreams = ({
  streams,
  sessions,
}: {
  readonly streams: readonly FoundStream[]
  readonly sessions: readonly SessionState[]
}): readonly FoundStream[] => {
  const own = new Set(sessions.map(({ fingerprint }) => fingerprint))
  return streams.filter(({ fingerprint }) => fingerprint === null || !own.has(fingerprint))
}

/** Streams that clients can still be given, in order of precedence. */
export const offered = (sessions: readonly SessionState[]): readonly SessionState[] =>
  sessions.filter(({ phase }) => !isSessionOver(phase))

/**
 * The ids of all that are offered, in their new order, when one of them goes before or behind its neighbour; null where it is
 * at that end already, or isn't offered.
 */
export function movedOrder(
  sessions: readonly SessionState[],
  sessionId: string,
  way: 'up' | 'down',
): readonly string[] | null {
  const order = offered(sessions).map((session) => session.sessionId)
  const from = order.indexOf(sessionId)
  const to = from + (way === 'up' ? -1 : 1)
  if (from === -1 || to < 0 || to >= order.length) return null
  return order.toSpliced(from, 1).toSpliced(to, 0, sessionId)
}
