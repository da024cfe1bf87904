/**
 * Of whom it was told already how a stream ended for them. A computer that failed may try again by itself, again and again, each time as
 * another client: that it failed is told of it once, and that it is done after all when it is. What becomes of it after that is news again.
 */
import { isUnfinished, type SessionClient, type SessionState } from './multicast.ts'

/** By session. Kept by whoever tells. */
export type ToldEnds = Map<string, Ends>

interface Ends {
  /** By clients' ids. */
  readonly clients: ReadonlyMap<string, 'done' | 'failed'>
  /** Computers that failed and weren't done since. */
  readonly failing: ReadonlySet<string>
}

/** Whether somebody is done or failed of whom it wasn't told yet. It is now. */
export function tellEnds(
  { sessionId, clients }: Pick<SessionState, 'sessionId' | 'clients'>,
  told: ToldEnds,
): boolean {
  const last = told.get(sessionId)
  const known = new Map(last?.clients)
  const failing = new Set(last?.failing)
  const fresh = (wanted: 'done' | 'failed') =>
    clients.filter(({ state, clientId }) => state === wanted && known.get(clientId) !== wanted)
  const done = fresh('done')
  const failed = fresh('failed')
  const isNews = done.length > 0 || failed.some((client) => !failing.has(computerOf(client)))
  for (const client of done) failing.delete(computerOf(client))
  for (const client of failed) failing.add(computerOf(client))
  for (const { clientId } of done) known.set(clientId, 'done')
  for (const { clientId } of failed) known.set(clientId, 'failed')
  told.set(sessionId, { clients: known, failing })
  return isNews
}

/**
 * To be told of each state before it is told of: a client that is at it again (a window is one client, however often it restores) ends once more
 * later.
 */
export function forgetBegun(
  { sessionId, clients }: Pick<SessionState, 'sessionId' | 'clients'>,
  told: ToldEnds,
): void {
  const last = told.get(sessionId)
  if (last === undefined) return
  const begun = clients.filter((client) => isUnfinished(client) && last.clients.has(client.clientId))
  if (begun.length === 0) return
  const known = new Map(last.clients)
  for (const { clientId } of begun) known.delete(clientId)
  told.set(sessionId, { ...last, clients: known })
}

const computerOf = ({ host, address }: SessionClient) => `${host} ${address}`
