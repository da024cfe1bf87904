/** The picture of the act: two wells and an arrow, how it is to be done, what was checked, and the button. */
import { Button } from '#renderer/components'
import {
  canAskToRestore,
  restoreBlock,
  sameData,
  sourceFetch,
  sourceProblem,
  useActions,
  useBoth,
  useView,
  type EngineMirror,
  type ViewState,
} from '#renderer/store'
import { DestinationWell } from './destination-well.tsx'
import { Options } from './options.tsx'
import { PracticeCard } from './practice-card.tsx'
import { PreflightList } from './preflight-list.tsx'
import { SourceAwaited, SourceFetch, SourceProblem } from './source-problem.tsx'
import { SourceWell } from './source-well.tsx'
import { describeBlock } from './text.ts'
import { WellArrow } from './well-arrow.tsx'

const bothChosen = ({ source, destination }: ViewState) => source !== null && destination !== null
const sourceFailed = (mirror: EngineMirror, view: ViewState) => sourceProblem(mirror, view) !== null
const bothReady = (mirror: EngineMirror, view: ViewState) =>
  view.source?.state === 'ready' &&
  view.destination?.state === 'ready' &&
  sourceProblem(mirror, view) === null

export function Compose() {
  const ready = useBoth(bothReady)
  return (
    <div className="compose">
      <div className="compose-scroll">
        <p className="compose-hint secondary">
          Put a disk image, a disk or a volume on another disk. Drag them here, or choose them.
        </p>
        <SourceWell />
        <WellArrow ready={ready} />
        <DestinationWell />
        <Options />
        <Findings />
      </div>
      <RestoreRow />
    </div>
  )
}

/** Under the options: what stands in the way of reading the source or makes it take long, what the preflight found, or the practice card. */
function Findings() {
  const failed = useBoth(sourceFailed)
  const fetch = useBoth(sourceFetch)
  const awaited = useView(({ source }) => source?.awaited === true)
  const both = useView(bothChosen)
  if (failed) return <SourceProblem />
  if (fetch) return <SourceFetch fetch={fetch} />
  if (awaited) return <SourceAwaited />
  return both ? <PreflightList /> : <PracticeCard />
}

function RestoreRow() {
  const actions = useActions()
  const block = useBoth(restoreBlock, sameData)
  const canAsk = useBoth(canAskToRestore)
  return (
    <div className="compose-actions" data-landing={block === null ? 'next' : undefined}>
      <p id="restore-reason" className="secondary">
        {block ? describeBlock(block) : 'Ready.'}
      </p>
      <Button
        look="primary"
        // What is still checked is waited for: a button that goes and comes with each check loses the keyboard's focus.
        isDisabled={!canAsk}
        aria-describedby="restore-reason"
        onPress={actions.openConfirm}
      >
        Restore…
      </Button>
    </div>
  )
}
