/**
 * Of whom it was told already how a stream ended for them. A computer that failed may try again by itself, again and again, each time as
 * another client: that it failed is told of it once, and that it is done after all when it is. What becomes of it after that is news again.
 */
import type { SessionClient, SessionState } from './multicast.ts'

/** By session. Kept by whoever tells. */
export type ToldEnds = Map<string, Ends>

interface Ends {
  /** Ids of clients that are done, or failed. */
  readonly clients: ReadonlySet<string>
  /** Computers that failed and weren't done since. */
  readonly failing: ReadonlySet<string>
}

/** Whether somebody is done or failed of whom it wasn't told yet. It is now. */
export function tellEnds(
  { sessionId, clients }: Pick<SessionState, 'sessionId' | 'clients'>,
  told: ToldEnds,
): boolean {
  const last = told.get(sessionId)
  const known = new Set(last?.clients)
  const failing = new Set(last?.failing)
  const fresh = (wanted: 'done' | 'failed') =>
    clients.filter(({ state, clientId }) => state === wanted && !known.has(clientId))
  const done = fresh('done')
  const failed = fresh('failed')
  const isNews = done.length > 0 || failed.some((client) => !failing.has(computerOf(client)))
  for (const client of done) failing.delete(computerOf(client))
  for (const client of failed) failing.add(computerOf(client))
  for (const { clientId } of [...done, ...failed]) known.add(clientId)
  told.set(sessionId, { clients: known, failing })
  return isNews
}

const computerOf = ({ host, address }: SessionClient) => `${host} ${address}`
