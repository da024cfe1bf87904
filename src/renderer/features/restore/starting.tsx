/** Between the yes and the first phase; the system may be asking for a password, for as long as it takes. */
import { Spinner } from '#renderer/components'
import type { RestorePlan } from '#shared/model'
import { SummaryLine } from './summary-line.tsx'

export function Starting({ plan, stopping }: { readonly plan: RestorePlan; readonly stopping: boolean }) {
  return (
    <div className="job starting">
      <SummaryLine plan={plan} done={0} />
      <div className="starting-words">
        <Spinner size={18} />
        <div>
          <h2 className="section-title" tabIndex={-1} data-landing="next">
            {stopping ? 'Stopping…' : startingWords(plan)}
          </h2>
          {plan.needsPrivilege && !stopping && (
            <p className="secondary">
              Answer the system's request for an administrator's password. Take your time.
            </p>
          )}
        </div>
      </div>
    </div>
  )
}

const startingWords = (plan: RestorePlan) => (plan.needsPrivilege ? 'Waiting for permission…' : 'Starting…')
