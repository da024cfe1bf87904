/** What the preflight found, five lines, or as many as matter. It is asked again whenever something changes. */
import { Button, CopyDetails, Spinner, StateIcon } from '#renderer/components'
import { isRefused, shownPlan, useActions, useErrorReport, useView, type PlanState } from '#renderer/store'
import type { SerializedError } from '#shared/errors'
import { describeWhole, namesOf } from '#shared/words'
import { NeedsScan } from './needs-scan.tsx'
import { checkWords, scanOf, shownChecks } from './preflight.ts'

export function PreflightList() {
  const plan = useView((view) => view.plan)
  return (
    <ul className="preflight" aria-label="Preflight" aria-busy={plan.state === 'checking'}>
      <NeedsScan />
      <Lines plan={plan} />
    </ul>
  )
}

/** In the first line, which tells the worst. It stays while it is checked: who presses it keeps the focus. */
function CheckAgain({ plan }: { readonly plan: PlanState }) {
  const actions = useActions()
  return isRefused(plan) && <Button onPress={actions.checkAgain}>Check Again</Button>
}

interface FailureProps {
  readonly error: SerializedError
  readonly words: string
}

/** What it is called where it is looked up or reported. */
function Failure({ error, words }: FailureProps) {
  const report = useErrorReport()
  return (
    <>
      <span className="selectable">
        {words} <span className="small">{error.code}</span>
      </span>
      <CopyDetails text={() => report({ error, said: words })} />
    </>
  )
}

function Lines({ plan }: { readonly plan: PlanState }) {
  const shown = shownPlan(plan)
  if (shown) {
    const scan = scanOf(shown)
    return shownChecks(shown.checks, scan).map((check, index) => {
      const words = checkWords(check, namesOf(shown), scan)
      return (
        <li key={`${check.step} ${check.kind} ${words}`} data-state={check.state}>
          <StateIcon state={check.state} />
          {check.kind === 'error' && check.state === 'failed' ? (
            <Failure error={check.error} words={words} />
          ) : (
            <span className="selectable">{words}</span>
          )}
          {index === 0 && <CheckAgain plan={plan} />}
        </li>
      )
    })
  }
  if (plan.state === 'checking')
    return (
      <li>
        <Spinner />
        <span className="secondary">Checking…</span>
        <CheckAgain plan={plan} />
      </li>
    )
  if (plan.state === 'failed') {
    return (
      <li data-state="failed">
        <StateIcon state="failed" />
        <Failure error={plan.error} words={describeWhole(plan.error)} />
        <CheckAgain plan={plan} />
      </li>
    )
  }
  return null
}
