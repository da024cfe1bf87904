/** Computers haven't finished: stop all the same? Cancel has the focus. */
import { Button, Sheet } from '#renderer/components'
import {
  unfinished,
  untouched,
  useActions,
  useBoth,
  type EngineMirror,
  verifying,
  type ViewState,
} from '#renderer/store'
import { stopWords } from './text.ts'

const session = ({ sessions }: EngineMirror, { sheet }: ViewState) =>
  sheet?.kind === 'stop-stream' ? sessions.find(({ sessionId }) => sessionId === sheet.sessionId) : undefined

const unfinishedNow = (mirror: EngineMirror, view: ViewState) => {
  const stopping = session(mirror, view)
  return stopping ? unfinished(stopping) : 0
}
const untouchedNow = (mirror: EngineMirror, view: ViewState) => {
  const stopping = session(mirror, view)
  return stopping ? untouched(stopping) : 0
}
const verifyingNow = (mirror: EngineMirror, view: ViewState) => {
  const stopping = session(mirror, view)
  return stopping ? verifying(stopping) : 0
}
const nameNow = (mirror: EngineMirror, view: ViewState) => session(mirror, view)?.settings.name ?? ''

export function StopSheet() {
  const count = useBoth(unfinishedNow)
  const left = { waiting: useBoth(untouchedNow), verifying: useBoth(verifyingNow) }
  const name = useBoth(nameNow)
  const actions = useActions()
  const { closeSheet } = actions
  if (count === 0) return null
  return (
    <Sheet
      role="alertdialog"
      size="form"
      title={`Stop the stream '${name}'?`}
      describedBy="stop-words"
      onClose={closeSheet}
      actions={
        <>
          <Button autoFocus onPress={closeSheet}>
            Cancel
          </Button>
          <Button onPress={() => void actions.stopStreamNow('when-finished')}>
            Stop After Everyone Finishes
          </Button>
          <Button look="danger" onPress={() => void actions.stopStreamNow('now')}>
            Stop Now
          </Button>
        </>
      }
    >
      <p id="stop-words">{stopWords(count, left)}</p>
    </Sheet>
  )
}
