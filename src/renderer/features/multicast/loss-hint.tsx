/** Some lose more than they can make up for: what would help, and the button that does it. */
import { Button, StateIcon } from '#renderer/components'
import { gentlerRate, lossTone, useActions } from '#renderer/store'
import type { SessionState } from '#shared/model'
import { lossWords } from './text.ts'

export function LossHint({ session }: { readonly session: SessionState }) {
  const actions = useActions()
  const rate = gentlerRate(session)
  if (rate === null) return null
  const count = session.clients.filter(
    ({ state, loss }) => (state === 'receiving' || state === 'missing') && lossTone(loss) === 'too-high',
  ).length
  const { clientDataRate } = session.settings.configuration
  return (
    <div className="stream-note" data-tone="warning" role="status">
      <StateIcon state="warning" />
      <p>{lossWords(count, rate)}</p>
      <Button
        onPress={() =>
          void actions.setStreamRate(session.sessionId, {
            dataRate: rate,
            clientDataRate: clientDataRate === null ? null : Math.min(clientDataRate, rate),
          })
        }
      >
        Apply
      </Button>
    </div>
  )
}
