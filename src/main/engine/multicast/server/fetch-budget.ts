/**
 * How much of the Data Rate goes to clients that fetch over their control connections. While the stream has something to send,
 * both share it, so that their sum stays below what was configured: half for those who have fetched little so far (an image's
 * tables, a few blocks at the end), an eighth for those who fetch everything because multicast doesn't reach them, who must not
 * slow the whole room.
 */
export interface Fetch {
  readonly connection: string
  readonly block: number
  /** It was tried before, and couldn't be read since. */
  readonly failingSinceMs?: number
}

const littleBytes = 16 * 1024 * 1024
const share = { little: 0.5, much: 0.125 }
/** TLS, TCP and the network around it add about so much. */
const overhead = 1.05
const depthMs = 50

export class FetchBudget {
  readonly #waiting: Fetch[] = []
  /** By connection. */
  readonly #fetched = new Map<string, number>()
  #tokens = 0
  #filledMs = 0

  ask(fetch: Fetch): void {
    this.#waiting.push(fetch)
  }

  left(connection: string): void {
    this.#fetched.delete(connection)
    const index = this.#waiting.findIndex((fetch) => fetch.connection === connection)
    if (index !== -1) this.#waiting.splice(index, 1)
  }

  /** Of the Data Rate, what the stream leaves to those who wait; 0 while nobody does. */
  get share(): number {
    if (this.#waiting.length === 0 && this.#tokens >= 0) return 0
    return this.#waiting.some((fetch) => this.#isLittle(fetch)) ? share.little : share.much
  }

  /** It was let through, and its `bytes` couldn't be sent. */
  unsent({ connection }: Fetch, bytes: number): void {
    this.#tokens += bytes * overhead
    const fetched = this.#fetched.get(connection)
    // Who has left isn't counted any more.
    if (fetched !== undefined) this.#fetched.set(connection, Math.max(0, fetched - bytes))
  }

  /** The next one that may be answered now, or null. `rate`: bytes a second for all of them. */
  next(bytesOf: (block: number) => number, rate: number, nowMs: number): Fetch | null {
    const filled = this.#tokens + (Math.max(0, nowMs - this.#filledMs) * rate) / 1000
    this.#tokens = Math.min(filled, (rate * depthMs) / 1000)
    this.#filledMs = nowMs
    if (this.#waiting.length === 0 || this.#tokens < 0) return null
    const index = Math.max(
      0,
      this.#waiting.findIndex((fetch) => this.#isLittle(fetch)),
    )
    const [fetch] = this.#waiting.splice(index, 1)
    if (fetch === undefined) return null
    const bytes = bytesOf(fetch.block)
    this.#tokens -= bytes * overhead
    this.#fetched.set(fetch.connection, (this.#fetched.get(fetch.connection) ?? 0) + bytes)
    return fetch
  }

  #isLittle({ connection }: Fetch): boolean {
    return (this.#fetched.get(connection) ?? 0) < littleBytes
  }
}
