/** What people are told of a stream while they wait for it: why it takes so long, each thing once. */
import type { StreamProgress } from '#shared/model'
import { describeAway, describeSlow } from '#shared/words'
import { errorText } from './report.ts'

export interface StreamTelling {
  /** Says something, in whole lines. */
  readonly say: (text: string) => void
  /** Counts ms. */
  readonly now: () => number
  /** Codes of what was told, also by others. */
  readonly told: Set<string>
}

/** A connection that is had again sooner needs no words. */
const untoldMs = 5000

/** `hear` of the stream at each change, and null when there is none. */
export function createStreamTroubles({ say, now, told }: StreamTelling) {
  let isSlowTold = false
  /** Null: it is there; `told`: it was told that it isn't. */
  let away: { readonly sinceMs: number; told: boolean } | null = null

  return {
    hear(stream: StreamProgress | null): void {
      const lost = stream && describeAway(stream)
      if (lost === null) away = null
      else {
        away ??= { sinceMs: now(), told: false }
        if (!away.told && now() - away.sinceMs >= untoldMs) {
          away.told = true
          say(`${lost}\n`)
        }
      }
      if (stream === null) return
      const { silence } = stream
      if (silence !== null && !told.has(silence.code)) {
        told.add(silence.code)
        say(errorText(silence, {}, null))
      }
      const slow = describeSlow(stream)
      if (slow === null || isSlowTold) return
      isSlowTold = true
      say(`${slow}\n`)
    },
  }
}
