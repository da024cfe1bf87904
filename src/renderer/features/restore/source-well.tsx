/** The Source well and its `Image…` button. */
import { Button, diskIcon, Well, type DropOffer, type IconName, type WellContent } from '#renderer/components'
import {
  describeObstacle,
  findItem,
  isLocked,
  nextStep,
  sameData,
  sourceFetch,
  sourceObstacle,
  sourceProblem,
  useActions,
  useBoth,
  useView,
  type EngineMirror,
  type ItemId,
  type OpenedImage,
  type SourceChoice,
  type ViewState,
} from '#renderer/store'
import { isStreamLocator, type WebFetch } from '#shared/model'
import { sourceFacts } from './text.ts'

const isNext = (mirror: EngineMirror, view: ViewState) => nextStep(mirror, view) === 'source'

export function SourceWell() {
  const actions = useActions()
  const source = useView((view) => view.source)
  const error = useBoth(sourceProblem)
  const fetch = useBoth(sourceFetch, sameData)
  const images = useView((view) => view.images)
  const next = useBoth(isNext)
  const offer = useBoth(dragOffer, sameData)
  return (
    <div className="well-row">
      <h2 aria-hidden="true">Source</h2>
      <Well
        label="Source"
        prompt="Drop an image or a stream, or choose one"
        content={source && contentOf({ ...source, error }, images, fetch)}
        next={next}
        offer={offer}
        fileOffer="Use as source"
        onDropItem={(id) => actions.chooseSource(id as ItemId)}
        onDropFiles={(files) => void actions.dropFiles('source', files)}
        onDropText={(text) => actions.dropText('source', text)}
        onClear={actions.clearSource}
      />
      <Button onPress={() => void actions.chooseImage('source')}>Image…</Button>
    </div>
  )
}

function dragOffer(mirror: EngineMirror, view: ViewState): DropOffer | null {
  const item = view.dragging === null ? null : findItem(mirror, view.images, view.dragging)
  if (!item) return null
  const obstacle = sourceObstacle(item, view.destination)
  return obstacle
    ? { possible: false, words: describeObstacle(obstacle) }
    : { possible: true, words: 'Use as source' }
}

const contentOf = (
  source: SourceChoice,
  images: readonly OpenedImage[],
  fetch: WebFetch | null,
): WellContent => ({
  icon: sourceIcon(source, images),
  name: source.name,
  facts: sourceFacts(source, fetch),
  state: isLocked(source) ? 'locked' : source.error ? 'failed' : source.state,
})

function sourceIcon(source: SourceChoice, images: readonly OpenedImage[]): IconName {
  if (source.info?.kind === 'stream' || isStreamLocator(source.locator)) return 'stream'
  if (source.info?.kind === 'volume') return 'volume'
  if (source.info?.kind === 'disk') return diskIcon(source.info.disk)
  const practice = images.some((image) => image.path === source.locator && image.practice)
  return practice ? 'practice-image' : 'image'
}
