/** Whether clients of a stream lose more than they can make up for, and which rate they could follow. Pure. */
import { isUnfinished, type SessionState } from '#shared/model'
import { lossTone } from './sessions.ts'

export interface Losing {
  /** How many clients. */
  readonly count: number
  /** What the worst of them loses, 0 to 1. */
  readonly worst: number
  /** Since when nobody was seen that does; null: somebody is. */
  readonly calmSinceMs: number | null
}

/** Under this it is well again what was too much: what is said of it would come and go with each figure around the limit. */
const calmLoss = 0.15

/**
 * A stream that holds back where it does harm, and tries a little more again, is too fast for a moment, and for another
 * one soon after; what is said of that stays in between.
 */
const calmMs = 30_000

/** None while nothing is sent: what they lost is of before. */
const lossesOf = ({ phase, clients }: SessionState): readonly number[] =>
  phase === 'streaming'
    ? clients.filter(({ state }) => state === 'receiving' || state === 'missing').map(({ loss }) => loss)
    : []

/** Something is sent to somebody, or will be again. */
const isUnderWay = ({ phase, clients }: SessionState): boolean =>
  (phase === 'streaming' || phase === 'quiet') && clients.some(isUnfinished)

/** Null when it is well. `before`: what it was by the state before. */
export function losingNow(session: SessionState, before: Losing | null, nowMs: number): Losing | null {
  if (!isUnderWay(session)) return null
  const isStillLosing = before?.calmSinceMs === null
  const lost = lossesOf(session).filter((loss) =>
    isStillLosing ? loss > calmLoss : lossTone(loss) === 'too-high',
  )
  if (lost.length > 0) return { count: lost.length, worst: Math.max(...lost), calmSinceMs: null }
  if (before === null) return null
  if (before.calmSinceMs === null) return { ...before, calmSinceMs: nowMs }
  return nowMs - before.calmSinceMs < calmMs ? before : null
}

/** A rate that the worst client could follow, in bytes a second. */
export function gentlerRate({ settings }: Pick<SessionState, 'settings'>, { worst }: Losing): number {
  const wanted = settings.configuration.dataRate * (1 - Math.min(worst, 0.75)) * 0.95
  const step = 10 ** Math.floor(Math.log10(wanted)) / 2
  return Math.max(100_000, Math.floor(wanted / step) * step)
}
