/**
 * How long a server that was there is away: from the last byte on that any connection to it brought, counted once for all of them. A
 * server is started again, a switch, a cable put back: whoever reads waits for that, but not for ever.
 */
import { AppError } from '#shared/errors'
import { isTransient } from './try-again.ts'

/** What goes by within this isn't worth a word. */
const untoldMs = 2000

export class Outage {
  readonly #patienceMs: number
  readonly #now: () => number
  #away: { readonly sinceMs: number; readonly trouble: unknown } | null = null

  constructor({ patienceMs, now }: { readonly patienceMs: number; readonly now: () => number }) {
    this.#patienceMs = patienceMs
    this.#now = now
  }

  /** What keeps everybody waiting now; null: nothing, or not for long. */
  get trouble(): unknown {
    return this.#away !== null && this.#now() - this.#away.sinceMs >= untoldMs ? this.#away.trouble : null
  }

  /** It is there. */
  heard(): void {
    this.#away = null
  }

  /**
   * A connection failed that was made, or last brought something, at `lastMs`. Returns for how many ms more it is worth to try; 0: not
   * at all.
   */
  failed(error: unknown, lastMs: number): number {
    if (!mayPass(error)) return 0
    const sinceMs = this.#away?.sinceMs ?? lastMs
    this.#away = { sinceMs, trouble: error }
    return Math.max(0, sinceMs + this.#patienceMs - this.#now())
  }
}

/** At first nobody may ever have answered there. Of a server that did, it says that it isn't up at the moment. */
const mayPass = (error: unknown) =>
  isTransient(error) || (error instanceof AppError && error.details['errno'] === 'ECONNREFUSED')
