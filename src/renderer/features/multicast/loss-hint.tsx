/** Some lose more than they can make up for: what would help, and the button that does it. */
import { Button, StateIcon } from '#renderer/components'
import { gentlerRate, useActions, useMirror } from '#renderer/store'
import type { SessionState } from '#shared/model'
import { lossWords } from './text.ts'

export function LossHint({ session }: { readonly session: SessionState }) {
  const actions = useActions()
  const losing = useMirror((mirror) => mirror.losing[session.sessionId])
  if (!losing) return null
  const rate = gentlerRate(session, losing)
  const { clientDataRate } = session.settings.configuration
  return (
    // Its figures change twice a second: that it came is announced, and no more.
    <div className="stream-note" data-tone="warning">
      <StateIcon state="warning" />
      <p>{lossWords(losing.count, rate)}</p>
      {rate !== null && (
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
      )}
    </div>
  )
}
