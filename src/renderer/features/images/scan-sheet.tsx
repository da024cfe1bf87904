/** Scan Image for Restore: what will happen, how long it may take and what room it needs, before it does. */
import { useState } from 'react'
import { Button, Checkbox, Facts, Sheet, Spinner, type Fact } from '#renderer/components'
import { useActions, useView, type OpenedImage, type ViewState } from '#renderer/store'
import { describeError } from '#shared/words'
import { formatBytes } from '#shared/units'
import { describeRoom, scanTime } from './text.ts'

const scanSheet = ({ sheet }: ViewState) => (sheet?.kind === 'scan' ? sheet : null)
const scannedImage = ({ sheet, images }: ViewState) =>
  sheet?.kind === 'scan' ? (images.find((image) => image.path === sheet.path) ?? null) : null

export function ScanSheet() {
  const sheet = useView(scanSheet)
  const image = useView(scannedImage)
  const actions = useActions()
  const [reorder, setReorder] = useState(true)
  const [fragmented, setFragmented] = useState(false)
  if (!sheet || !image) return null
  const { sending } = sheet
  const info = image.info
  const inOrder = info?.inOrder === true
  const rewrites = reorder && info?.inOrder === false
  const hfs = info !== null && isHfs(info)
  return (
    <Sheet
      size="form"
      title={`Scan '${image.name}' for restore`}
      onClose={actions.closeSheet}
      actions={
        <>
          {sending.state === 'busy' && <Spinner />}
          <Button onPress={actions.closeSheet}>Cancel</Button>
          <Button
            look="primary"
            autoFocus
            isDisabled={sending.state === 'busy'}
            onPress={() => void actions.startScan({ reorder, allowFragmentedCatalog: fragmented })}
          >
            {info?.scan ? 'Scan Again' : 'Scan'}
          </Button>
        </>
      }
    >
      <p>
        Reads the whole image, and stores in it what a restore is verified by: a SHA-256 of every volume, and
        one of every block. With them only what has changed can be written, and parts can be checked alone.
      </p>
      <Facts layout="rows" facts={scanFacts(image, rewrites, sheet.freeBytes)} />
      {(!inOrder || hfs) && (
        <div className="sheet-options">
          {!inOrder && (
            <>
              <Checkbox checked={reorder} onChange={setReorder} describedBy="scan-reorder">
                Put the data in order where it isn't
              </Checkbox>
              <p id="scan-reorder" className="secondary small">
                Only an image in order can be multicast. The file is written anew; the old one stays until
                that is complete.
              </p>
            </>
          )}
          {hfs && (
            <Checkbox checked={fragmented} onChange={setFragmented}>
              Allow a fragmented catalog
            </Checkbox>
          )}
        </div>
      )}
      {sending.state === 'failed' && (
        <p role="alert" className="sheet-problem selectable">
          {errorText(sending.error, image.name)}
        </p>
      )}
    </Sheet>
  )
}

const isHfs = (info: NonNullable<OpenedImage['info']>) =>
  info.partitions.some(({ filesystem }) => filesystem !== null && /^hfs/i.test(filesystem))

function scanFacts({ info }: OpenedImage, rewrites: boolean, freeBytes: number | null): readonly Fact[] {
  if (!info) return []
  return [
    {
      name: 'Reads',
      value:
        info.sizeBytes === null ? 'All of it' : `${formatBytes(info.sizeBytes)}, ${scanTime(info.sizeBytes)}`,
    },
    {
      name: 'In order',
      value: info.inOrder === null ? 'Not known before' : info.inOrder ? 'Yes: only the scan is added' : 'No',
    },
    ...(rewrites ? [{ name: 'Needs room', value: describeRoom(info.storedBytes, freeBytes) }] : []),
  ]
}

function errorText(error: Parameters<typeof describeError>[0], source: string): string {
  const words = describeError(error, { source })
  return [words.what, words.why, words.now].filter((part) => part !== null).join(' ')
}
