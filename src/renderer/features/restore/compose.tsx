/** The picture of the act: two wells and an arrow, how it is to be done, what was checked, and the button. */
import { Button } from '#renderer/components'
import { restoreBlock, sameData, useActions, useBoth, useView, type ViewState } from '#renderer/store'
import { DestinationWell } from './destination-well.tsx'
import { Options } from './options.tsx'
import { PracticeCard } from './practice-card.tsx'
import { PreflightList } from './preflight-list.tsx'
import { SourceWell } from './source-well.tsx'
import { describeBlock } from './text.ts'
import { WellArrow } from './well-arrow.tsx'

const bothChosen = ({ source, destination }: ViewState) => source !== null && destination !== null
const bothReady = ({ source, destination }: ViewState) =>
  source?.state === 'ready' && destination?.state === 'ready'

export function Compose() {
  const both = useView(bothChosen)
  const ready = useView(bothReady)
  return (
    <div className="compose">
      <p className="compose-hint secondary">
        Put a disk image, a disk or a volume on another disk. Drag them here, or choose them.
      </p>
      <SourceWell />
      <WellArrow ready={ready} />
      <DestinationWell />
      <Options />
      {both ? <PreflightList /> : <PracticeCard />}
      <RestoreRow />
    </div>
  )
}

function RestoreRow() {
  const actions = useActions()
  const block = useBoth(restoreBlock, sameData)
  return (
    <div className="compose-actions">
      <p id="restore-reason" className="secondary">
        {block ? describeBlock(block) : 'Ready.'}
      </p>
      <Button
        look="primary"
        isDisabled={block !== null}
        aria-describedby="restore-reason"
        onPress={actions.openConfirm}
      >
        Restore…
      </Button>
    </div>
  )
}
