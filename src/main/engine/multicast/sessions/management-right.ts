/** What a manager may do. Pure, but for the proof, which counts what is wrong. */
import type { Offer } from './offer.ts'
import type { ExaminedProof } from './proof-gate.ts'

/** What a session is called by. */
export interface SessionNames {
  readonly name: string
  /** 32 hex digits. */
  readonly sessionId: string
}

/** Everything; or to see and stop the sessions whose password it knows, and no later ones of their names. */
export type ManagementRight =
  | { readonly kind: 'all' }
  /** At least one; several only where they have the same password. */
  | { readonly kind: 'sessions'; readonly sessions: readonly SessionNames[] }

/** Whether `said`, which comes with a password, means that session: its name, its id, or nothing, which means all. */
export const isMeant =
  (said: string) =>
  ({ name, sessionId }: SessionNames): boolean =>
    said === '' || said === name || said === sessionId

/** By the own passwords of these sessions; null: it is the password of none. */
export function rightTo(offers: readonly Offer[], proof: ExaminedProof): ManagementRight | null {
  const sessions = offers
    .filter(({ session: { passwordKey } }) => passwordKey !== null && proof.isRight(passwordKey))
    .map(({ name, sessionId }) => ({ name, sessionId }))
  return sessions.length === 0 ? null : { kind: 'sessions', sessions }
}
