/** Whether clients of a stream lose more than they can make up for, and which rate they could follow. Pure. */
import { isUnfinished, settingBounds, type SessionState } from '#shared/model'
import { lossTone } from './sessions.ts'

export interface Losing {
  /** How many clients. */
  readonly count: number
  /** What the worst of them loses, 0 to 1. */
  readonly worst: number
  /** When somebody was last seen that does. */
  readonly lossyMs: number
  /** Since then something was sent, and nobody did. */
  readonly isCalm: boolean
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
  const isStillLosing = before?.isCalm === false
  const losses = lossesOf(session)
  const lost = losses.filter((loss) => (isStillLosing ? loss > calmLoss : lossTone(loss) === 'too-high'))
  if (lost.length > 0) return { count: lost.length, worst: Math.max(...lost), lossyMs: nowMs, isCalm: false }
  // Before it, where the clock was set back.
  if (before === null || nowMs - before.lossyMs >= calmMs || nowMs < before.lossyMs) return null
  // At rest nobody loses anything, which says nothing of how it will be after it.
  return losses.length === 0 || before.isCalm ? before : { ...before, isCalm: true }
}

/** A rate that the worst client could follow, in bytes a second; null where the stream is as slow as one can be. */
export function gentlerRate({ settings }: Pick<SessionState, 'settings'>, { worst }: Losing): number | null {
  const { dataRate } = settings.configuration
  const wanted = dataRate * (1 - Math.min(worst, 0.75)) * 0.95
  const step = 10 ** Math.floor(Math.log10(wanted)) / 2
  const rate = Math.max(settingBounds.dataRate.least, Math.floor(wanted / step) * step)
  return rate < dataRate ? rate : null
}
