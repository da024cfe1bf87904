/**
 * Who may talk to the web host. A link carries a token that is good for one exchange; the exchange gives a session key,
 * which the page keeps in its own storage (by origin, port included; a cookie would be sent to every other server on
 * this machine). Both are 256 random bits, and only their hashes are kept.
 */
import { createHash, randomBytes } from 'node:crypto'

/** Links that weren't used, and sessions: more of them nobody has. */
const maxTokens = 20
const maxSessions = 200

export class Access {
  readonly #tokens = new Set<string>()
  readonly #sessions = new Set<string>()

  /** A new token. Older ones stay good. */
  issueToken(): string {
    return add(this.#tokens, maxTokens)
  }

  /** A session key for a token that wasn't used, else null. */
  exchange(token: string): string | null {
    return this.#tokens.delete(hash(token)) ? add(this.#sessions, maxSessions) : null
  }

  isSession(key: string): boolean {
    return this.#sessions.has(hash(key))
  }
}

/** Looked up by hash: how long a look-up takes tells nothing about the secret. */
const hash = (secret: string) => createHash('sha256').update(secret).digest('base64')

function add(secrets: Set<string>, limit: number): string {
  const secret = randomBytes(32).toString('base64url')
  secrets.add(hash(secret))
  for (const oldest of secrets) {
    if (secrets.size <= limit) break
    secrets.delete(oldest)
  }
  return secret
}
