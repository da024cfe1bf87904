/** Whether clients of a stream lose more than they can make up for, and which rate they could follow. Pure. */
import { isUnfinished, type SessionState } from '#shared/model'
import { lossTone } from './sessions.ts'

export interface Losing {
  /** How many clients. */
  readonly count: number
  /** What the worst of them loses, 0 to 1. */
  readonly worst: number
  /** How many states ago one was seen that does. */
  readonly calmStates: number
}

/** Under this it is well again what was too much: what is said of it would come and go with each figure around the limit. */
const calmLoss = 0.15

/**
 * Half a minute of states. A stream that holds back where it does harm, and tries a little more again, is too fast for a moment, and for another
 * one soon after; what is said of that stays in between.
 */
const calmAfter = 60

/** None while nothing is sent: what they lost is of before. */
const lossesOf = ({ phase, clients }: SessionState): readonly number[] =>
  phase === 'streaming'
    ? clients.filter(({ state }) => state === 'receiving' || state === 'missing').map(({ loss }) => loss)
    : []

/** Something is sent to somebody, or will be again. */
const isUnderWay = ({ phase, clients }: SessionState): boolean =>
  (phase === 'streaming' || phase === 'quiet') && clients.some(isUnfinished)

/** Null when it is well. `before`: what it was by the state before. */
export function losingNow(session: SessionState, before: Losing | null): Losing | null {
  if (!isUnderWay(session)) return null
  const isStillLosing = before?.calmStates === 0
  const lost = lossesOf(session).filter((loss) =>
    isStillLosing ? loss > calmLoss : lossTone(loss) === 'too-high',
  )
  if (lost.length > 0) return { count: lost.length, worst: Math.max(...lost), calmStates: 0 }
  if (before === null || before.calmStates + 1 >= calmAfter) return null
  return { ...before, calmStates: before.calmStates + 1 }
}

/** A rate that the worst client could follow, in bytes a second. */
export function gentlerRate({ settings }: Pick<SessionState, 'settings'>, { worst }: Losing): number {
  const wanted = settings.configuration.dataRate * (1 - Math.min(worst, 0.75)) * 0.95
  const step = 10 ** Math.floor(Math.log10(wanted)) / 2
  return Math.max(100_000, Math.floor(wanted / step) * step)
}
