/** What the selected row is, in a few facts and one picture. */
import { unreachable } from '#shared/errors'
import {
  CapacityBar,
  DeviceIcon,
  diskSegments,
  Facts,
  imageSegments,
  itemIcon,
  volumeSegments,
  type Segment,
} from '#renderer/components'
import {
  findItem,
  itemName,
  sameData,
  useBoth,
  volumeName,
  type EngineMirror,
  type Item,
  type ViewState,
} from '#renderer/store'
import { itemKind, shortFacts } from './item-facts.ts'
import './images.css'

const selectedItem = (mirror: EngineMirror, view: ViewState) =>
  view.selected === null ? null : findItem(mirror, view.images, view.selected)

export function InfoFooter() {
  const item = useBoth(selectedItem, sameData)
  if (!item) return <p className="info-empty secondary">Select a disk or an image to see what it is.</p>
  return (
    <div className="info">
      <DeviceIcon name={itemIcon(item)} size={40} />
      <div className="info-name">
        <p className="ellipsis" title={itemName(item)}>
          <strong>{itemName(item)}</strong>
        </p>
        <p className="secondary small" title={itemKind(item)}>
          {itemKind(item)}
        </p>
      </div>
      <div className="info-facts">
        <Facts layout="columns" facts={shortFacts(item)} />
        <CapacityBar segments={itemSegments(item)} />
      </div>
    </div>
  )
}

export function itemSegments(item: Item): readonly Segment[] {
  switch (item.kind) {
    case 'disk':
      return diskSegments(item.disk, volumeName)
    case 'volume':
      return volumeSegments(item.volume, item.disk, itemName(item))
    case 'image':
      return item.image.info ? imageSegments(item.image.info) : []
    case 'stream':
      return []
    default:
      return unreachable(item)
  }
}
