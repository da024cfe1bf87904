/** What Check Network found, a line for each step. */
import { unreachable } from '#shared/errors'
import { Spinner, StateIcon } from '#renderer/components'
import { useView } from '#renderer/store'
import type { NetworkCheck } from '#shared/model'
import { describeCheckStep, describeError } from '#shared/words'

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
    case 'failed': {
      const { what, why, now } = describeError(check.error)
      return (
        <p className="check-failed selectable" role="alert">
          <StateIcon state="failed" />
          <span>{[what, why, now].filter((part) => part !== null).join(' ')}</span>
        </p>
      )
    }
    case 'done':
      return (
        <ul className="checks" aria-label="Network check">
          {check.checks.map((line) => (
            <Line key={`${line.step} ${line.error?.code ?? ''}`} check={line} />
          ))}
        </ul>
      )
    case 'none':
      return null
    default:
      return unreachable(check)
  }
}

function Line({ check }: { readonly check: NetworkCheck }) {
  const words = check.error && describeError(check.error)
  return (
    <li data-state={check.state}>
      <StateIcon state={icons[check.state]} />
      <span className="check-step">{describeCheckStep(check.step)}</span>
      <span className="selectable">
        {words
          ? [words.what, words.why, words.now].filter((part) => part !== null).join(' ')
          : check.state === 'ok'
            ? 'All right'
            : ''}
      </span>
    </li>
  )
}
