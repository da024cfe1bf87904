/** Which of a plan's checks the window shows, and in which words. Pure. */
import type { PreflightCheck, RestorePlan, ScanInfo } from '#shared/model'
import { describeCheck, describeScan, describeWhole, type Names } from '#shared/words'

/** As many lines as there is room for; more only where each of them matters. */
const maxLines = 5

const toldElsewhere = ['E_NEEDS_ERASE', 'E_DST_EXISTS', 'E_SRC_NOSCAN', 'E_SRC_MULTIVOL'] as const

/** How much a person wants to know of it: what fails, what will be lost or unmounted, warnings and what is left out, then what is only said. */
function rank(check: PreflightCheck, scan: ScanInfo | null): number {
  if (check.state === 'failed') return 0
  if (check.kind === 'losses') return 1
  if (check.kind === 'unmounts') return 2
  if (check.state === 'warning' || check.kind === 'only-volume') return 3
  // What the wells say already.
  const isKnown =
    check.kind === 'target-ok' ||
    (check.kind === 'source-ok' && check.checksums !== 'beside' && scan === null)
  return isKnown ? said + 1 : said
}

const said = 4

/**
 * The most important checks first, and of the same importance in the order the engine made them: the list may scroll. Without the tick, or without a scan, the engine refuses
 * the plan; the tick's own line, the scan's and the pop-up of volumes say so already, so that refusal isn't repeated.
 */
export function shownChecks(
  checks: readonly PreflightCheck[],
  scan: ScanInfo | null = null,
): readonly PreflightCheck[] {
  const told = checks.filter(
    (check) => !(check.kind === 'error' && toldElsewhere.some((code) => code === check.error.code)),
  )
  return told
    .toSorted((a, b) => rank(a, scan) - rank(b, scan))
    .filter((check, index) => index < maxLines || rank(check, scan) < said)
}

/** Of the image that is the source. */
export const scanOf = ({ source }: RestorePlan): ScanInfo | null =>
  source?.kind === 'image' ? source.image.scan : null

/** Name and format stand in the well: what it is compared with is in the scan, and that it was made is what is asked for. */
const tellsScan = (check: PreflightCheck, scan: ScanInfo | null): scan is ScanInfo =>
  scan !== null && check.kind === 'source-ok' && check.checksums !== 'beside'

/** What fails comes with what to do about it: nothing else in the window says that. */
export function checkWords(check: PreflightCheck, names: Names, scan: ScanInfo | null = null): string {
  if (tellsScan(check, scan)) return describeScan(scan)
  return check.kind === 'error' ? describeWhole(check.error, names) : describeCheck(check, names)
}
