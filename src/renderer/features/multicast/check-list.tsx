/** What Check Network found. A screen reader hears it from the announcer: it is there long before anyone comes to this list. */
import { unreachable } from '#shared/errors'
import { Button, Spinner, StateIcon } from '#renderer/components'
import { useActions, useView, wrongChecks } from '#renderer/store'
import type { NetworkCheck } from '#shared/model'
import { describeCheckStep, describeWhole } from '#shared/words'
import { pathToScan } from './text.ts'

const icons = { ok: 'ok', warning: 'warning', failed: 'failed' } as const

export function CheckList() {
  const check = useView((view) => view.server.check)
  switch (check.state) {
    case 'busy':
      return (
        <p className="check-busy secondary" role="status">
          <Spinner /> Sending a test packet, looking at port and address…
        </p>
      )
    case 'failed':
      return (
        <p className="check-failed selectable" role="alert">
          <StateIcon state="failed" />
          <span>{describeWhole(check.error)}</span>
        </p>
      )
    case 'done':
      return <Lines checks={check.checks} />
    case 'none':
      return null
    default:
      return unreachable(check)
  }
}

/** What is wrong, a line each; what is right, all in one. */
function Lines({ checks }: { readonly checks: readonly NetworkCheck[] }) {
  const wrong = wrongChecks(checks)
  const right = checks.filter(({ state }) => state === 'ok').map(({ step }) => describeCheckStep(step))
  return (
    <ul className="checks" aria-label="Network check" ref={scrollTo}>
      {wrong.map((line) => (
        <li key={`${line.step} ${line.error?.code ?? ''}`} data-state={line.state}>
          <StateIcon state={icons[line.state]} />
          <span className="check-step">{describeCheckStep(line.step)}</span>
          <span className="selectable">{line.error ? describeWhole(line.error) : ''}</span>
          <ScanOffer error={line.error} />
        </li>
      ))}
      {right.length > 0 && (
        <li data-state="ok">
          <StateIcon state="ok" />
          <span className="check-step">All right</span>
          <span className="selectable">{right.join(', ')}</span>
        </li>
      )}
    </ul>
  )
}

/** The image changed since it was chosen: what stood against it then was offered in the well. */
function ScanOffer({ error }: Pick<NetworkCheck, 'error'>) {
  const actions = useActions()
  const path = pathToScan(error)
  return path === null ? null : <Button onPress={() => void actions.takeImage('scan', path)}>Scan…</Button>
}

/** It comes in under the form, where nobody may be looking. */
const scrollTo = (list: HTMLElement | null) => list?.scrollIntoView({ block: 'nearest' })
