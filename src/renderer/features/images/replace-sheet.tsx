/** Something lies where an image is to be written. Cancel has the focus, and goes back to the sheet before. */
import { Button, Sheet } from '#renderer/components'
import { useActions, useView, type ViewState } from '#renderer/store'

const replacedPath = ({ sheet }: ViewState) => (sheet?.kind === 'replace' ? sheet.path : null)

export function ReplaceSheet() {
  const path = useView(replacedPath)
  const actions = useActions()
  if (path === null) return null
  return (
    <Sheet
      role="alertdialog"
      title="Replace what is there?"
      describedBy="replace-words"
      onClose={actions.closeSheet}
      actions={
        <>
          <Button autoFocus onPress={actions.closeSheet}>
            Cancel
          </Button>
          <Button look="danger" onPress={() => void actions.replaceTarget()}>
            Replace
          </Button>
        </>
      }
    >
      <div id="replace-words">
        <p className="selectable sheet-path">{path}</p>
        <p>It stays as it is until the new image is complete; then it is gone.</p>
      </div>
    </Sheet>
  )
}
