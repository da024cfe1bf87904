/**
 * Images that a server gives only as a whole: until all of one is here nothing is known of it, and what asked for it waits. Which fetch
 * that is, and how far. Pure.
 */
import { isWebLocator, withoutPassword, type WebFetch } from '#shared/model'
import type { EngineMirror } from './engine-mirror.ts'
import { frontJob } from './readiness.ts'
import type { ViewState } from './view-state.ts'

/** The fetch of the file at `locator`; null: it isn't on its way. */
function fetchOf({ fetches }: EngineMirror, locator: string | null): WebFetch | null {
  if (fetches.length === 0 || locator === null || !isWebLocator(locator)) return null
  const address = writtenOut(locator)
  return fetches.find((fetch) => writtenOut(fetch.locator) === address) ?? null
}

/** So that two ways to write an address are one. */
function writtenOut(locator: string): string {
  const url = URL.parse(withoutPassword(locator))
  if (!url) return locator
  url.hash = ''
  return url.href
}

/** What the source well waits for. */
export const sourceFetch = (mirror: EngineMirror, { source }: ViewState): WebFetch | null =>
  source?.state === 'reading' ? fetchOf(mirror, source.locator) : null

/** What a restore waits for that was agreed to; what was fetched without rights isn't there for who has them. */
export const startingFetch = (mirror: EngineMirror, { starting }: ViewState): WebFetch | null =>
  starting && fetchOf(mirror, starting.plan.request.source)

/** What the window waits for: a restore's beginning, a job, or the source well, in this order. */
export function shownFetch(mirror: EngineMirror, view: ViewState): WebFetch | null {
  if (view.starting) return startingFetch(mirror, view)
  const job = frontJob(mirror, view)
  return job ? fetchOf(mirror, job.source) : sourceFetch(mirror, view)
}

/** 0–100, whole; null where nobody knows how long it is. */
export const fetchPercent = ({ doneBytes, sizeBytes }: WebFetch): number | null =>
  sizeBytes === null ? null : Math.min(100, Math.floor((doneBytes / Math.max(1, sizeBytes)) * 100))
