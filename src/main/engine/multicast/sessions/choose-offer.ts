/** Which session a client gets, or why it gets none. Pure, but for the proof, which counts what is wrong. */
import { isAdmitted, type Applicant } from './admission.ts'
import type { SessionNames } from './management-right.ts'
import type { Offer } from './offer.ts'
import type { ExaminedProof } from './proof-gate.ts'
import type { Objection } from './refusal-texts.ts'

export interface Asking {
  readonly clientId: string
  /** Empty: the first that has no objection. */
  readonly sessionName: string
  readonly applicant: Applicant
  readonly proof: ExaminedProof
}

export interface Chosen {
  readonly offer: Offer
  readonly objection: Objection | null
}

/** `objection` null: it may. Null: there is no such session. `offers`: in order of precedence. */
export function chooseOffer(offers: readonly Offer[], asking: Asking, nowMs: number): Chosen | null {
  const { sessionName } = asking
  const candidates = sessionName === '' ? offers : offers.filter(({ name }) => name === sessionName)
  const judged = candidates.map((offer) => ({ offer, objection: objectionTo(offer, asking, nowMs) }))
  // Whose password isn't looked at yet isn't given something else instead: it may be the right one.
  return judged.find(({ objection }) => objection === null || objection === 'wait') ?? judged[0] ?? null
}

/** It gets nothing now, and one of those whose source is still being read may take it: `pending`. */
export function mayComeLater(
  pending: readonly SessionNames[],
  sessionName: string,
  chosen: Chosen | null,
): boolean {
  if (sessionName !== '') return chosen === null && pending.some(({ name }) => name === sessionName)
  const isTurnedAway = chosen === null || chosen.objection === 'not-admitted' || chosen.objection === 'full'
  return isTurnedAway && pending.length > 0
}

function objectionTo(offer: Offer, { clientId, applicant, proof }: Asking, nowMs: number): Objection | null {
  const { session } = offer
  if (!isAdmitted(session.admission, applicant)) return 'not-admitted'
  if (session.passwordKey !== null && !proof.isRight(session.passwordKey))
    return proof.waitMs > 0 ? 'wait' : 'password'
  return offer.joined >= session.mostClients && !offer.hasPlaceFor(clientId, applicant, nowMs) ? 'full' : null
}
