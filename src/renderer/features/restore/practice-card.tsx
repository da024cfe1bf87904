/** Offered once, on first start: a whole restore without owning a spare disk. */
import { Button, DeviceIcon } from '#renderer/components'
import { useActions, useMirror, type EngineMirror } from '#renderer/store'

const isOffered = ({ app }: EngineMirror) =>
  app !== null && app.practice !== null && !app.preferences.practiceOffered

export function PracticeCard() {
  const offered = useMirror(isOffered)
  const actions = useActions()
  if (!offered) return <div />
  return (
    <section className="practice-card" aria-label="Practice restore">
      <DeviceIcon name="practice-disk" size={40} />
      <div className="practice-words">
        <strong>New here? Practise first.</strong>
        <p className="secondary">
          Restore a small Practice image to the Practice disk, a file on this computer. Nothing of yours is
          touched.
        </p>
      </div>
      <div className="practice-actions">
        <Button look="quiet" onPress={actions.dismissPractice}>
          Not Now
        </Button>
        <Button onPress={actions.setUpPractice}>Try It</Button>
      </div>
    </section>
  )
}
