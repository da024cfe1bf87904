/**
 * A well: where an image or a disk is put. A drop target for the mouse and, through React Aria, for the keyboard. It
 * knows nothing of disks; whether a drop is right is told by `offer`.
 */
import { Lock, X } from 'lucide-react'
import { useRef, type ReactNode } from 'react'
import { DropZone, isTextDropItem, type DropItem } from 'react-aria-components'
import { Button } from './button.tsx'
import { DeviceIcon, type IconName } from './device-icon.tsx'
import { Spinner } from './spinner.tsx'
import { StateIcon } from './state-icon.tsx'
import './well.css'

/** The type a sidebar row travels under. */
export const itemDragType = 'application/x-reprise-item'

export interface WellContent {
  readonly icon: IconName
  readonly name: string
  /** One line. */
  readonly facts: string
  readonly state: 'ready' | 'reading' | 'failed' | 'gone' | 'locked'
}

/** What the well says about what is being dragged just now. */
export interface DropOffer {
  readonly possible: boolean
  /** `Use as source`, `Too small by 3.1 GB`. */
  readonly words: string
}

interface Props {
  /** `Source` */
  readonly label: string
  /** What to do, while it is empty. */
  readonly prompt: string
  readonly content: WellContent | null
  /** To fill it is the next thing to do. */
  readonly next?: boolean
  /** About the sidebar row that is being dragged; null while none is. */
  readonly offer: DropOffer | null
  /** What a file that is held over the well would become: `Use as source`. */
  readonly fileOffer: string
  readonly onDropItem: (id: string) => void
  readonly onDropFiles: (files: readonly File[]) => void
  /** A text that is no row: perhaps an address. Absent: it counts as no file. */
  readonly onDropText?: (text: string) => void
  readonly onClear: () => void
}

export function Well({ label, prompt, content, next = false, offer, fileOffer, ...on }: Props) {
  const spoken = content ? `${label}, ${content.name}, ${content.facts}` : `${label}, empty`
  const dropped = useRef<readonly File[]>([])
  return (
    <div
      role="group"
      aria-label={spoken}
      className="well-group"
      data-landing={next ? 'next' : 'own'}
      // React Aria makes a thing without a path of a folder; a sparse bundle is one.
      onDropCapture={(event) => (dropped.current = [...event.dataTransfer.files])}
    >
      <DropZone
        className="well"
        aria-label={content ? `${label}: ${content.name}` : `${label}: ${prompt}`}
        data-state={content?.state ?? 'empty'}
        data-offer={offer ? (offer.possible ? 'possible' : 'impossible') : undefined}
        getDropOperation={(types) => {
          if (offer && !offer.possible) return 'cancel'
          return types.has(itemDragType) || offer === null ? 'copy' : 'cancel'
        }}
        onDrop={(event) => {
          // What is pasted comes without the system's event.
          const files = dropped.current
          dropped.current = []
          void takeDrop(event.items, files, on)
        }}
      >
        {({ isDropTarget }) => {
          const shown = offer ?? (isDropTarget ? { possible: true, words: fileOffer } : null)
          return content ? (
            <Filled content={content} offer={shown} />
          ) : (
            <Empty prompt={prompt} offer={shown} />
          )
        }}
      </DropZone>
      {content && (
        <span className="well-clear">
          <Button look="quiet" icon aria-label={`Clear ${label}`} onPress={on.onClear}>
            <X size={14} aria-hidden />
          </Button>
        </span>
      )}
    </div>
  )
}

async function takeDrop(
  items: readonly DropItem[],
  files: readonly File[],
  { onDropItem, onDropFiles, onDropText }: Pick<Props, 'onDropItem' | 'onDropFiles' | 'onDropText'>,
) {
  const ours = items.find((item) => isTextDropItem(item) && item.types.has(itemDragType))
  if (ours && isTextDropItem(ours)) {
    onDropItem(await ours.getText(itemDragType))
    return
  }
  const pasted = files.length > 0 ? [] : items.filter((item) => item.kind === 'file')
  const all = [...files, ...(await Promise.all(pasted.map((item) => item.getFile())))]
  const text = all.length === 0 && onDropText ? await readText(items) : null
  if (text === null) onDropFiles(all)
  else onDropText?.(text)
}

/** What a dragged link, or a marked text, is told as. */
async function readText(items: readonly DropItem[]): Promise<string | null> {
  for (const type of ['text/uri-list', 'text/plain'])
    for (const item of items)
      if (isTextDropItem(item) && item.types.has(type)) return await item.getText(type)
  return null
}

function Empty({ prompt, offer }: { readonly prompt: string; readonly offer: DropOffer | null }) {
  return <span className="well-prompt">{offer ? <Offer offer={offer} /> : prompt}</span>
}

function Filled({ content, offer }: { readonly content: WellContent; readonly offer: DropOffer | null }) {
  return (
    <>
      <DeviceIcon name={content.icon} size={40} />
      <div className="well-words">
        <span className="well-name ellipsis" title={content.name}>
          {content.name}
        </span>
        <span className="well-facts ellipsis">
          {offer ? <Offer offer={offer} /> : <Facts content={content} />}
        </span>
      </div>
    </>
  )
}

function Facts({ content }: { readonly content: WellContent }): ReactNode {
  return (
    <>
      {content.state === 'reading' && <Spinner size={12} />}
      {content.state === 'failed' && <StateIcon state="failed" />}
      {content.state === 'locked' && <Lock size={12} aria-hidden />}
      <span className="ellipsis" title={content.facts}>
        {content.facts}
      </span>
    </>
  )
}

const Offer = ({ offer }: { readonly offer: DropOffer }) => (
  <span className="well-offer" data-possible={offer.possible || undefined}>
    {!offer.possible && <StateIcon state="stopped" />}
    {offer.words}
  </span>
)
