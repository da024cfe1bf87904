/** The well of the image to stream, and what it still needs. */
import { Button, itemIcon, StateIcon, Well, type WellContent } from '#renderer/components'
import {
  diskId,
  draftSurroundings,
  findItem,
  isLocked,
  itemName,
  sameData,
  useActions,
  useBoth,
  useView,
  volumeId,
  type EngineMirror,
  type FieldProblem,
  type Item,
  type ItemId,
  type ViewState,
} from '#renderer/store'
import { isStreamLocator, isWebLocator, type ImageInfo } from '#shared/model'
import { refusalWords } from './form-text.ts'
import { isScanProblem, notReadyWords, notScannableWords, sourceFacts, type ScanProblem } from './text.ts'

const streamItem = (mirror: EngineMirror, view: ViewState) => draftSurroundings(mirror, view).item

export function StreamWell({ problem }: { readonly problem: FieldProblem | null }) {
  const actions = useActions()
  const item = useBoth(streamItem, sameData)
  const offer = useBoth(dragOffer, sameData)
  return (
    <div className="stream-source">
      <div className="stream-well">
        <Well
          label="Image"
          prompt="Drop a scanned image or a device, or choose an image"
          content={item && contentOf(item, problem)}
          next={problem !== null}
          offer={offer}
          fileOffer="Stream this image"
          onDropItem={(id) => actions.chooseStreamSource(id as ItemId)}
          onDropFiles={(files) => void actions.dropFiles('stream', files)}
          onDropText={(text) => actions.dropText('stream', text)}
          onClear={actions.clearStreamSource}
        />
        <Button onPress={() => void actions.chooseImage('stream')}>Image…</Button>
      </div>
      {item?.kind === 'image' && item.image.info && isScanProblem(problem) && (
        <NotReady path={item.image.path} problem={problem} info={item.image.info} />
      )}
      {item?.kind === 'image' && item.image.info && problem === 'not-scannable' && (
        <NotScannable info={item.image.info} path={item.image.path} />
      )}
      {item?.kind === 'image' && isLocked(item.image) && <Locked path={item.image.path} />}
      {(item?.kind === 'disk' || item?.kind === 'volume') && problem === 'refused' && <Refused item={item} />}
    </div>
  )
}

interface NotReadyProps {
  readonly path: string
  readonly problem: ScanProblem
  readonly info: ImageInfo
}

/** The scan is what makes an image fit for a stream; it is offered, and what it takes is said. */
function NotReady({ path, problem, info }: NotReadyProps) {
  const actions = useActions()
  const here = !isWebLocator(path)
  return (
    <div className="stream-note" data-tone="warning" role="status">
      <StateIcon state="warning" />
      <p>{notReadyWords(problem, here ? info : null)}</p>
      {here && <Button onPress={() => void actions.takeImage('scan', path)}>Scan…</Button>}
    </div>
  )
}

function NotScannable({ info, path }: { readonly info: ImageInfo; readonly path: string }) {
  const actions = useActions()
  return (
    <div className="stream-note" data-tone="warning" role="status">
      <StateIcon state="warning" />
      <p>{notScannableWords(info)}</p>
      <Button onPress={() => void actions.takeImage('convert', path)}>Convert…</Button>
    </div>
  )
}

function Locked({ path }: { readonly path: string }) {
  const actions = useActions()
  return (
    <div className="stream-note" role="status">
      <StateIcon state="warning" />
      <p>The image is encrypted. Only an open one can be streamed.</p>
      <Button onPress={() => actions.askPassword(path, 'stream')}>Unlock…</Button>
    </div>
  )
}

const refusal = ({ server }: ViewState) => server.refusal

/** Known before the start, so it is said before. */
function Refused({ item }: { readonly item: Extract<Item, { readonly kind: 'disk' | 'volume' }> }) {
  const actions = useActions()
  const error = useView(refusal)
  if (error === null) return null
  const { path } = item.kind === 'disk' ? item.disk : item.volume
  const id = item.kind === 'disk' ? diskId(path) : volumeId(path)
  const { words, image } = refusalWords(error, { name: itemName(item), path })
  return (
    <div className="stream-note" data-tone="warning" role="status">
      <StateIcon state="warning" />
      <p className="selectable">{words}</p>
      {image && <Button onPress={() => actions.openCreate('device', id)}>New Image…</Button>}
    </div>
  )
}

function contentOf(item: Item, problem: FieldProblem | null): WellContent {
  const shown = { icon: itemIcon(item), name: itemName(item) }
  if (problem === 'gone')
    return { ...shown, facts: 'Disconnected. Choose it again, or another.', state: 'gone' }
  const state = item.kind === 'image' ? (isLocked(item.image) ? 'locked' : item.image.state) : 'ready'
  return { ...shown, facts: sourceFacts(item), state }
}

function dragOffer(mirror: EngineMirror, view: ViewState) {
  const item = view.dragging === null ? null : findItem(mirror, view.images, view.dragging)
  if (!item) return null
  if (item.kind === 'stream' || (item.kind === 'image' && isStreamLocator(item.image.path)))
    return { possible: false, words: 'It is a stream already' }
  return { possible: true, words: item.kind === 'image' ? 'Stream this image' : 'Stream what is on it' }
}
