/** Which of a plan's checks the window shows. Pure. */
import type { PreflightCheck } from '#shared/model'

/** As many lines as there is room for. */
const maxLines = 5

const toldElsewhere = ['E_NEEDS_ERASE', 'E_SRC_NOSCAN'] as const

/** How much a person wants to know of it: what fails, what will be lost, warnings, then the rest. */
function rank(check: PreflightCheck): number {
  if (check.state === 'failed') return 0
  if (check.kind === 'losses') return 1
  return check.state === 'warning' ? 2 : 3
}

/**
 * The most important checks, in the order the engine made them. Without the tick, or without a scan, the engine refuses
 * the plan; the tick's own line and the scan's say so already, so that refusal isn't repeated.
 */
export function shownChecks(checks: readonly PreflightCheck[]): readonly PreflightCheck[] {
  const told = checks.filter(
    (check) => !(check.kind === 'error' && toldElsewhere.some((code) => code === check.error.code)),
  )
  const chosen = new Set([...told].sort((a, b) => rank(a) - rank(b)).slice(0, maxLines))
  return told.filter((check) => chosen.has(check))
}
