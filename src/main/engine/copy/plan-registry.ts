/**
 * The plans a host has answered with and may be told to carry out. A plan is used once and is stale after ten minutes;
 * what the person typed is compared here, on the privileged side.
 */
import { UsageError, deserializeError } from '#shared/errors'
import { isTyped, planLifeMs, type RestorePlan } from '#shared/model'
import { defaultNow } from './restore-deps.ts'

export interface PlanRegistry {
  add(plan: RestorePlan): void
  /**
   * The plan, for the one time it may be carried out. A wrong confirmation doesn't use it up. Throws UsageError
   * E_NOT_CONFIRMED, or the plan's own refusal.
   */
  take(planId: string, typed: string | null): RestorePlan
}

/** A window asks anew with every change; more than these nobody means any more. */
const keptPlans = 100

/** A clock that stands still while the computer sleeps, and the time of day, which doesn't but may be set: the plan's age is by the one that went on further. */
export function createPlanRegistry(
  now: () => number = defaultNow,
  wall: () => number = Date.now,
): PlanRegistry {
  const plans = new Map<
    string,
    { readonly plan: RestorePlan; readonly madeMs: number; readonly madeAt: number }
  >()
  return {
    add(plan) {
      plans.set(plan.planId, { plan, madeMs: now(), madeAt: wall() })
      for (const planId of plans.keys()) {
        if (plans.size <= keptPlans) break
        plans.delete(planId)
      }
    },
    take(planId, typed) {
      const kept = plans.get(planId)
      if (kept === undefined) throw notConfirmed('there is no such plan, or it was used')
      if (Math.max(now() - kept.madeMs, wall() - kept.madeAt) > planLifeMs) {
        plans.delete(planId)
        throw notConfirmed('the plan is more than ten minutes old')
      }
      const { plan } = kept
      if (plan.refusal !== null) throw deserializeError(plan.refusal)
      if (plan.confirmation.kind === 'type' && !isTyped(plan.confirmation.phrase, typed))
        throw notConfirmed("what was typed isn't the destination's name")
      plans.delete(planId)
      return plan
    },
  }
}

const notConfirmed = (problem: string) =>
  new UsageError('E_NOT_CONFIRMED', problem, {
    details: { input: 'confirmation', problem: `${problem.charAt(0).toUpperCase()}${problem.slice(1)}.` },
  })
