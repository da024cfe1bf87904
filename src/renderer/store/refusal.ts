/** What stands against a plan. Pure. */
import type { SerializedError } from '#shared/errors'
import type { RestorePlan } from '#shared/model'
import type { PlanState } from './view-state.ts'

export const wantsErase = ({ code }: SerializedError): boolean =>
  code === 'E_NEEDS_ERASE' || code === 'E_DST_EXISTS'

/** What is asked about when Restore… is pressed, and doesn't stand against pressing it. */
const askedLater = (error: SerializedError, { request }: RestorePlan) =>
  (wantsErase(error) && !request.erase) || (error.code === 'E_SRC_NOSCAN' && request.verify)

/** What stands against the plan, apart from the missing tick and the missing scan: those are told in their own words. */
export function refusalOf(plan: PlanState): SerializedError | null {
  if (plan.state === 'failed') return plan.error
  if (plan.state !== 'ready') return null
  for (const check of plan.plan.checks)
    if (check.kind === 'error' && !askedLater(check.error, plan.plan)) return check.error
  const { refusal } = plan.plan
  return refusal && !askedLater(refusal, plan.plan) ? refusal : null
}

/** Something stands against it, or did when it was last looked at, that may go away without an answer. */
export function isRefused(plan: PlanState): boolean {
  if (plan.state === 'checking') return plan.refused === true
  const refusal = refusalOf(plan)
  return refusal !== null && refusal.code !== 'E_SRC_MULTIVOL'
}
