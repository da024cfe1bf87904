/**
 * Of whom it was told already how a stream ended for them. A computer that failed may try again by itself, again and again, each time as
 * another client: that it failed is told of it once, and that it is done after all when it is.
 */
import type { SessionState } from './multicast.ts'

/** By session: who is done, by the ids of clients, and which computers failed. Kept by whoever tells. */
export type ToldEnds = Map<string, Ends>

interface Ends {
  readonly done: ReadonlySet<string>
  readonly failed: ReadonlySet<string>
}

/** Whether somebody is done or failed of whom it wasn't told yet. It is now. */
export function tellEnds(
  { sessionId, clients }: Pick<SessionState, 'sessionId' | 'clients'>,
  told: ToldEnds,
): boolean {
  const last = told.get(sessionId)
  const done = clients.flatMap(({ state, clientId }) => (state === 'done' ? [clientId] : []))
  const failed = clients.flatMap(({ state, host, address }) =>
    state === 'failed' ? [`${host} ${address}`] : [],
  )
  const isNews =
    !done.every((id) => last?.done.has(id)) || !failed.every((computer) => last?.failed.has(computer))
  told.set(sessionId, {
    done: new Set(done).union(last?.done ?? new Set()),
    failed: new Set(failed).union(last?.failed ?? new Set()),
  })
  return isNews
}
