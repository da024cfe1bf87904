/**
 * A printer turns what a restore tells into text for standard output. It writes nothing itself and knows no disk: it is
 * a function of the states it was shown, and remembers only how much it has said. Errors aren't its business: they go
 * to standard error, see report.ts.
 */
import type { JobState, RestorePlan } from '#shared/model'

export interface RestorePrinter {
  /** Before anything is looked at. */
  started(): string
  /** After the preflight, whether it found a refusal or not. */
  planned(plan: RestorePlan): string
  /** A state of the job; the final one has its outcome. */
  progressed(state: JobState): string
  /** Instead of an outcome: refused or not confirmed (`error`), or interrupted, before the job began. */
  abandoned(reason: 'error' | 'cancelled'): string
}
