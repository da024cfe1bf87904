/**
 * How much of the Data Rate goes to clients that fetch over their control connections. While the stream has something to send,
 * both share it, so that their sum stays below what was configured: half for those who have fetched little so far (an image's
 * tables, a few blocks at the end), an eighth for those who fetch everything because multicast doesn't reach them, who must not
 * slow the whole room. Counted by address, as connections cost nothing; addresses take turns.
 */
import type { AnswerRoom } from './answer-room.ts'

export interface Fetch {
  readonly connection: string
  /** Whose connection it is. */
  readonly address: string
  readonly block: number
  /** It was tried before, and couldn't be read since. */
  readonly failingSinceMs?: number
}

export interface FetchBudgetOptions {
  readonly bytesOf: (block: number) => number
  readonly room: AnswerRoom
}

const littleBytes = 16 * 1024 * 1024
/** Who has fetched nothing for so long, and doesn't wait to, begins anew. */
const forgetMs = 300_000
/** Of the Data Rate, what the stream leaves to those who wait: to one who has fetched little so far, and to the others. */
export const answerShare = { little: 0.5, much: 0.125 }
/** TLS, TCP and the network around it add about so much. */
const overhead = 1.05
const depthMs = 50

export class FetchBudget {
  readonly #options: FetchBudgetOptions
  /** By address, the one whose turn is next first; those of one in the order they came. */
  readonly #waiting = new Map<string, Fetch[]>()
  /** By address, the one that was answered last at the end. */
  readonly #fetched = new Map<string, { bytes: number; readonly atMs: number }>()
  #tokens = 0
  #filledMs = 0
  /** Whose turn it was when `room` was so; asked for at each turn of the stream, which are thousands a second. */
  #turn: { readonly fetch: Fetch | null; readonly room: number } | null = null

  constructor(options: FetchBudgetOptions) {
    this.#options = options
  }

  ask(fetch: Fetch): void {
    this.#turn = null
    const its = this.#waiting.get(fetch.address)
    if (its === undefined) this.#waiting.set(fetch.address, [fetch])
    else its.push(fetch)
  }

  left(connection: string): void {
    this.#turn = null
    for (const [address, its] of this.#waiting) {
      const left = its.filter((fetch) => fetch.connection !== connection)
      if (left.length === its.length) continue
      if (left.length === 0) this.#waiting.delete(address)
      else this.#waiting.set(address, left)
      return
    }
  }

  /** Of the Data Rate, what the stream leaves to those who wait and may be answered; 0 while nobody does. */
  get share(): number {
    const next = this.#next()
    if (next === null) return this.#tokens < 0 ? answerShare.much : 0
    return this.isLittle(next.address) ? answerShare.little : answerShare.much
  }

  /** That one has fetched little so far. */
  isLittle(address: string): boolean {
    return (this.#fetched.get(address)?.bytes ?? 0) < littleBytes
  }

  /** It was let through, and its block couldn't be sent. */
  unsent({ address, block }: Fetch): void {
    const bytes = this.#options.bytesOf(block)
    this.#turn = null
    this.#tokens += bytes * overhead
    const fetched = this.#fetched.get(address)
    if (fetched !== undefined) fetched.bytes = Math.max(0, fetched.bytes - bytes)
  }

  /** The next one that may be answered now, or null; it has its room then, until `over`. `rate`: bytes a second for all of them. */
  next(rate: number, nowMs: number): Fetch | null {
    const filled = this.#tokens + (Math.max(0, nowMs - this.#filledMs) * rate) / 1000
    this.#tokens = Math.min(filled, (rate * depthMs) / 1000)
    this.#filledMs = nowMs
    this.#forget(nowMs)
    if (this.#tokens < 0) return null
    const fetch = this.#next()
    if (fetch === null) return null
    const { address, block } = fetch
    const { bytesOf, room } = this.#options
    const bytes = bytesOf(block)
    this.#turn = null
    const its = (this.#waiting.get(address) ?? []).slice(1)
    this.#waiting.delete(address)
    if (its.length > 0) this.#waiting.set(address, its)
    this.#count(address, bytes, nowMs)
    this.#tokens -= bytes * overhead
    room.take(address, bytes)
    return fetch
  }

  /** Its answer was taken by the client, or nobody is there to take it. */
  over({ address, block }: Fetch): void {
    const { bytesOf, room } = this.#options
    room.give(address, bytesOf(block))
  }

  #next(): Fetch | null {
    const room = this.#options.room.changes
    if (this.#turn?.room !== room) this.#turn = { fetch: this.#find(), room }
    return this.#turn.fetch
  }

  /** Of those for whom there is room, the first who has fetched little, or the first of all. */
  #find(): Fetch | null {
    const { bytesOf, room } = this.#options
    let first: Fetch | null = null
    for (const [fetch] of this.#waiting.values()) {
      if (fetch === undefined || !room.hasFor(fetch.address, bytesOf(fetch.block))) continue
      if (this.isLittle(fetch.address)) return fetch
      first ??= fetch
    }
    return first
  }

  #forget(nowMs: number): void {
    for (const [address, { bytes, atMs }] of this.#fetched) {
      if (nowMs - atMs < forgetMs) return
      this.#fetched.delete(address)
      // A slow client in a long queue isn't a new one.
      if (this.#waiting.has(address)) this.#fetched.set(address, { bytes, atMs: nowMs })
      else this.#turn = null
    }
  }

  #count(address: string, bytes: number, nowMs: number): void {
    const fetched = this.#fetched.get(address)?.bytes ?? 0
    this.#fetched.delete(address)
    this.#fetched.set(address, { bytes: fetched + bytes, atMs: nowMs })
    this.#turn = null
  }
}
