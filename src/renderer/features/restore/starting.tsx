/** Between the yes and the first phase; the system may be asking for a password, for as long as it takes. */
import { Spinner } from '#renderer/components'
import { sameData, startingFetch, useBoth } from '#renderer/store'
import type { RestorePlan, WebFetch } from '#shared/model'
import { describeFetch, describeFetchReason } from '#shared/words'
import { SummaryLine } from './summary-line.tsx'

export function Starting({ plan, stopping }: { readonly plan: RestorePlan; readonly stopping: boolean }) {
  const fetch = useBoth(startingFetch, sameData)
  return (
    <div className="job starting">
      <SummaryLine plan={plan} done={0} />
      <div className="starting-words">
        <Spinner size={18} />
        <div>
          <h2 className="section-title" tabIndex={-1} data-landing="next">
            {stopping ? 'Stopping…' : startingWords(plan, fetch)}
          </h2>
          {!stopping && <p className="secondary">{startingReason(plan, fetch)}</p>}
        </div>
      </div>
    </div>
  )
}

function startingWords({ needsPrivilege }: RestorePlan, fetch: WebFetch | null): string {
  if (fetch) return describeFetch(fetch)
  return needsPrivilege ? 'Waiting for permission…' : 'Starting…'
}

/** Who has the rights reads the image anew. */
function startingReason({ needsPrivilege }: RestorePlan, fetch: WebFetch | null): string | null {
  if (fetch) return describeFetchReason(fetch)
  return needsPrivilege
    ? "Answer the system's request for an administrator's password. Take your time."
    : null
}
