/**
 * Images on servers that something waits for: because theirs is away, or gives them only as a whole, so that nothing is known of one before
 * all of it is here. Which that is, and how far. Pure.
 */
import { isWebLocator, withoutPassword, type JobState, type WebFetch } from '#shared/model'
import type { EngineMirror } from './engine-mirror.ts'
import { frontJob } from './readiness.ts'
import type { ViewState } from './view-state.ts'

/** What keeps the file at `locator`; null: nothing does. */
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
  return job ? jobFetch(mirror, job) : sourceFetch(mirror, view)
}

/** What a job waits for. */
export const jobFetch = (mirror: EngineMirror, { source, outcome }: JobState): WebFetch | null =>
  outcome === null ? fetchOf(mirror, source) : null

/** 0–100, whole; null where nobody knows how long it is, or nothing comes. */
export function fetchPercent(fetch: WebFetch): number | null {
  if (fetch.kind === 'awaited' || fetch.sizeBytes === null) return null
  return Math.min(100, Math.floor((fetch.doneBytes / Math.max(1, fetch.sizeBytes)) * 100))
}
