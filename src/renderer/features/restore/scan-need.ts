/** Whether the source has to be scanned before it can be verified, and whether that is under way. Pure. */
import { needsScan, shownPlan, type EngineMirror, type ViewState } from '#renderer/store'
import { isWebLocator } from '#shared/model'

/** `elsewhere`: it lies on a web server, and can't be scanned from here. */
export type ScanNeed = 'none' | 'scan' | 'elsewhere' | 'scanning' | 'going-on'

export function scanNeed(mirror: EngineMirror, { plan, source, goOn }: ViewState): ScanNeed {
  if (goOn?.step === 'scanning') return 'going-on'
  const shown = shownPlan(plan)
  if (!shown || !needsScan(shown) || source === null) return 'none'
  if (isWebLocator(source.locator)) return 'elsewhere'
  const running = mirror.jobIds.some((id) => {
    const job = mirror.jobs[id]
    return job?.kind === 'scan-image' && job.outcome === null && job.source === source.locator
  })
  return running ? 'scanning' : 'scan'
}
