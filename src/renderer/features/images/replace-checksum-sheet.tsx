/** The SHA-256 beside an image isn't the image's. Cancel has the focus. */
import { Button, Sheet } from '#renderer/components'
import { useActions, useView, type ViewState } from '#renderer/store'

const imagePath = ({ sheet }: ViewState) => (sheet?.kind === 'replace-checksum' ? sheet.path : null)

export function ReplaceChecksumSheet() {
  const path = useView(imagePath)
  const actions = useActions()
  if (path === null) return null
  return (
    <Sheet
      role="alertdialog"
      title="Replace the checksum?"
      describedBy="replace-checksum-words"
      onClose={actions.closeSheet}
      actions={
        <>
          <Button autoFocus onPress={actions.closeSheet}>
            Cancel
          </Button>
          <Button look="danger" onPress={() => void actions.replaceChecksum()}>
            Replace
          </Button>
        </>
      }
    >
      <div id="replace-checksum-words">
        <p className="selectable sheet-path">{path}.sha256</p>
        <p>
          The new SHA-256 is of the image as it is now, right or damaged. Replace the old one only if the
          image was changed on purpose.
        </p>
      </div>
    </Sheet>
  )
}
