/** The one-time token that a page's address may hold, changed for a session. Apart from the socket, which is opened again and again. */

export interface TokenDeps {
  /** The token in the address; null: there is none. */
  readonly read: () => string | null
  /** Takes it out of the address, where it isn't to stay. */
  readonly takeOut: () => void
  /** The key of the session, or null where the host refuses. Rejects when the host doesn't answer. */
  readonly exchange: (token: string) => Promise<string | null>
  readonly keep: (key: string) => void
}

/**
 * Returns what is called before each connection. A token is good once: it is sent again only while the host hasn't answered, which
 * may not be there yet, or not be reached. So long it stays in the address: a page that is loaded anew meanwhile has nothing else.
 */
export function tokenRedeemer({ read, takeOut, exchange, keep }: TokenDeps): () => Promise<void> {
  return async () => {
    const token = read()
    if (token === null) return
    const key = await exchange(token)
    takeOut()
    // A used token is no reason to give up: an earlier visit may have left a session.
    if (key !== null) keep(key)
  }
}
