/** What a scan for restore stored in an image: by what and when, for every volume, and the hashes of its blocks. */
import { Button, Facts, Sheet } from '#renderer/components'
import { useActions, useView, type ViewState } from '#renderer/store'
import { scanInfoFacts, scannedPartitions } from './scan-facts.tsx'

const shownImage = ({ sheet, images }: ViewState) =>
  sheet?.kind === 'scan-info' ? (images.find((image) => image.path === sheet.path) ?? null) : null

export function ScanInfoSheet() {
  const image = useView(shownImage)
  const actions = useActions()
  const info = image?.info
  if (!image || !info) return null
  return (
    <Sheet
      size="wide"
      title={`Scan of '${image.name}'`}
      onClose={actions.closeSheet}
      actions={
        <>
          {info.scan === null && (
            <Button onPress={() => void actions.takeImage('scan', image.path)}>Scan…</Button>
          )}
          <Button autoFocus onPress={actions.closeSheet}>
            Done
          </Button>
        </>
      }
    >
      {info.scan === null ? (
        <p>It hasn't been scanned for restore.</p>
      ) : (
        <>
          <Facts layout="rows" facts={scanInfoFacts(info, info.scan)} />
          {scannedPartitions(info, info.scan).map(({ title, facts }) => (
            <section key={title} className="scan-part">
              <h3>{title}</h3>
              <Facts layout="rows" facts={facts} />
            </section>
          ))}
        </>
      )}
    </Sheet>
  )
}
