/** The source wasn't scanned for restore: scan it first, restore without verification, or leave it. */
import { Button, Sheet } from '#renderer/components'
import { useActions, useView } from '#renderer/store'
import { notScannedWords } from './text.ts'

export function NotScannedSheet() {
  const source = useView((view) => view.source)
  const actions = useActions()
  if (source?.info?.kind !== 'image') return null
  const words = notScannedWords(source.info.image, source.locator)
  return (
    <Sheet
      role="alertdialog"
      size="form"
      title={words.what}
      describedBy="not-scanned-words"
      onClose={actions.closeSheet}
      actions={
        <>
          <span className="sheet-aside">
            <Button onPress={actions.restoreWithoutVerification}>Restore Without Verification</Button>
          </span>
          <Button autoFocus={!words.scannable} onPress={actions.closeSheet}>
            Cancel
          </Button>
          {words.scannable && (
            <Button look="primary" autoFocus onPress={() => void actions.scanAndContinue()}>
              Scan and Continue
            </Button>
          )}
        </>
      }
    >
      <div id="not-scanned-words" className="sheet-words">
        <p>{words.why}</p>
        <p>{words.scan}</p>
      </div>
    </Sheet>
  )
}
