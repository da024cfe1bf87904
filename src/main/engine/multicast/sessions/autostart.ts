/** When a session's stream begins: with the first client, as asr's does, or when enough have come, or when no more come. */

export interface StartRule {
  /** As soon as so many have joined. Null: their number doesn't start it. */
  readonly clients: number | null
  /** So long after the last one joined, if anyone did. Null: time doesn't start it. Both null: it is started by hand. */
  readonly afterLastJoinMs: number | null
}

/** What asr does. */
export const startWithFirst: StartRule = { clients: 1, afterLastJoinMs: null }

export interface Attendance {
  /** Clients that are here now. */
  readonly joined: number
  /** When the last one came, even if it left. */
  readonly lastJoinMs: number | null
}

/** Start now, or wait: for ever unless somebody comes (null), or so much longer at most. */
export type StartDecision =
  { readonly kind: 'start' } | { readonly kind: 'wait'; readonly startsInMs: number | null }

export function decideStart(
  rule: StartRule,
  { joined, lastJoinMs }: Attendance,
  nowMs: number,
): StartDecision {
  if (joined === 0) return { kind: 'wait', startsInMs: null }
  if (rule.clients !== null && joined >= rule.clients) return { kind: 'start' }
  if (rule.afterLastJoinMs === null || lastJoinMs === null) return { kind: 'wait', startsInMs: null }
  const startsInMs = lastJoinMs + rule.afterLastJoinMs - nowMs
  return startsInMs <= 0 ? { kind: 'start' } : { kind: 'wait', startsInMs }
}
