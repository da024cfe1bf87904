/** Which of a plan's checks the window shows, and in which words. Pure. */
import type { PreflightCheck } from '#shared/model'
import { describeCheck, describeWhole, type Names } from '#shared/words'

/** As many lines as there is room for; more only where each of them matters. */
const maxLines = 5

const toldElsewhere = ['E_NEEDS_ERASE', 'E_DST_EXISTS', 'E_SRC_NOSCAN', 'E_SRC_MULTIVOL'] as const

/** How much a person wants to know of it: what fails, what will be lost or unmounted, warnings and what is left out, then what is only said. */
function rank(check: PreflightCheck): number {
  if (check.state === 'failed') return 0
  if (check.kind === 'losses') return 1
  if (check.kind === 'unmounts') return 2
  if (check.state === 'warning' || check.kind === 'only-volume') return 3
  // What the wells say already.
  const isKnown = check.kind === 'target-ok' || (check.kind === 'source-ok' && check.checksums !== 'beside')
  return isKnown ? said + 1 : said
}

const said = 4

/**
 * The most important checks first, and of the same importance in the order the engine made them: the list may scroll. Without the tick, or without a scan, the engine refuses
 * the plan; the tick's own line, the scan's and the pop-up of volumes say so already, so that refusal isn't repeated.
 */
export function shownChecks(checks: readonly PreflightCheck[]): readonly PreflightCheck[] {
  const told = checks.filter(
    (check) => !(check.kind === 'error' && toldElsewhere.some((code) => code === check.error.code)),
  )
  return told
    .toSorted((a, b) => rank(a) - rank(b))
    .filter((check, index) => index < maxLines || rank(check) < said)
}

/** What fails comes with what to do about it: nothing else in the window says that. */
export const checkWords = (check: PreflightCheck, names: Names): string =>
  check.kind === 'error' ? describeWhole(check.error, names) : describeCheck(check, names)
