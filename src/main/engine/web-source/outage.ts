/**
 * How long a server is away: from the last byte on that any connection to it brought, counted once for all of them. A server is
 * started again, a switch, a cable put back: whoever reads waits for that, and whoever opens a file for a moment, but not for ever.
 * Of a computer that says that nobody serves at that port even less is to be hoped for, where nobody has seen a server there yet.
 * What won't pass by waiting (no such host, no such file, a certificate that won't do) is told at once.
 */
import { AppError } from '#shared/errors'
import type { WebClient } from './web-client.ts'

/** What goes by within this isn't worth a word. */
export const untoldMs = 2000

export interface Patience {
  readonly patienceMs: number
  /** As long as connections are refused, and nobody has heard of it yet. Default: as all else. */
  readonly refusedPatienceMs?: number
  readonly now: () => number
}

/** A try that failed: when it began, and when its connection was made, or last brought something. */
export interface Try {
  readonly beganMs: number
  readonly lastMs: number
}

interface Away {
  readonly sinceMs: number
  /** Connections have been refused since then, and nothing else; null: the last trouble was another. */
  readonly refusedSinceMs: number | null
  /** When the last try ended. */
  readonly triedMs: number
  readonly trouble: unknown
}

export class Outage {
  readonly #patienceMs: number
  readonly #refusedPatienceMs: number
  readonly #now: () => number
  #away: Away | null = null
  #wasThere = false

  constructor({ patienceMs, refusedPatienceMs = patienceMs, now }: Patience) {
    this.#patienceMs = patienceMs
    this.#refusedPatienceMs = refusedPatienceMs
    this.#now = now
  }

  /** What keeps everybody waiting now; null: nothing, or not for long. */
  get trouble(): unknown {
    return this.#away !== null && this.#now() - this.#away.sinceMs >= untoldMs ? this.#away.trouble : null
  }

  /** It is there. */
  heard(): void {
    this.#wasThere = true
    this.#away = null
  }

  /** A try failed. Returns for how many ms more it is worth to try; 0: not at all. */
  failed(error: unknown, { beganMs, lastMs }: Try): number {
    if (!mayPass(error)) return 0
    const nowMs = this.#now()
    // Nobody tried for so long that it may have been back since.
    if (this.#away !== null && beganMs - this.#away.triedMs > this.#patienceMs) this.#away = null
    const sinceMs = this.#away?.sinceMs ?? lastMs
    const refusedSinceMs = isRefusal(error) ? (this.#away?.refusedSinceMs ?? lastMs) : null
    this.#away = { sinceMs, refusedSinceMs, triedMs: nowMs, trouble: error }
    const endsMs = Math.min(
      sinceMs + this.#patienceMs,
      refusedSinceMs === null || this.#wasThere ? Infinity : refusedSinceMs + this.#refusedPatienceMs,
    )
    return Math.max(0, endsMs - nowMs)
  }
}

/** The tries of one request, as long as its server's outage lasts that long and no longer. */
export class Tries {
  readonly #pausesMs: readonly number[]
  readonly #outage: Outage
  #count = 0

  constructor({ pausesMs }: Pick<WebClient, 'pausesMs'>, outage: Outage) {
    this.#pausesMs = pausesMs
    this.#outage = outage
  }

  /** The last one was good for something. */
  gotOn(): void {
    this.#outage.heard()
    this.#count = 0
  }

  /** See `Outage.failed`. How many ms to wait before the next one: what comes last is for all that follow; null: that was it. */
  pauseAfter(error: unknown, failed: Try): number | null {
    const leftMs = this.#outage.failed(error, failed)
    if (leftMs === 0) return null
    const pauseMs = this.#pausesMs[Math.min(this.#count, this.#pausesMs.length - 1)] ?? 0
    this.#count += 1
    return Math.min(pauseMs, leftMs)
  }
}

/** A server that is started again refuses connections; of one that never was there, nothing else can be told. */
const mayPass = (error: unknown) => isRefusal(error) || (error instanceof AppError && error.transient)

const isRefusal = (error: unknown) => error instanceof AppError && error.details['errno'] === 'ECONNREFUSED'
