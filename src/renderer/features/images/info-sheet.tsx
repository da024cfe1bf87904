/** Get Info: everything that is known of a disk, a volume or an image; for an image, its checksums can be recomputed. */
import { Button, CapacityBar, DeviceIcon, Facts, itemIcon, Sheet } from '#renderer/components'
import {
  findItem,
  isLocked,
  itemName,
  sameData,
  useActions,
  useBoth,
  type EngineMirror,
  type ViewState,
} from '#renderer/store'
import { itemSegments } from './info-footer.tsx'
import { itemKind, longFacts } from './item-facts.ts'

const shownItem = (mirror: EngineMirror, view: ViewState) =>
  view.sheet?.kind === 'info' ? findItem(mirror, view.images, view.sheet.item) : null

export function InfoSheet() {
  const item = useBoth(shownItem, sameData)
  const actions = useActions()
  if (!item) return null
  return (
    <Sheet
      size="wide"
      onClose={actions.closeSheet}
      title={
        <span className="info-title">
          <DeviceIcon name={itemIcon(item)} size={40} />
          <span className="info-name">
            <span className="ellipsis">{itemName(item)}</span>
            <span className="secondary small">{itemKind(item)}</span>
          </span>
        </span>
      }
      actions={
        <>
          {item.kind === 'image' && isLocked(item.image) && (
            <Button onPress={() => actions.askPassword(item.image.path, 'open')}>Unlock…</Button>
          )}
          {item.kind === 'image' && item.image.info?.scan && (
            <Button onPress={() => void actions.takeImage('scan-info', item.image.path)}>Scan Info</Button>
          )}
          {item.kind === 'image' && item.image.state === 'ready' && (
            <Button onPress={() => void actions.takeImage('verify', item.image.path)}>Verify</Button>
          )}
          <Button autoFocus onPress={actions.closeSheet}>
            Done
          </Button>
        </>
      }
    >
      <CapacityBar segments={itemSegments(item)} />
      <Facts layout="rows" facts={longFacts(item)} />
    </Sheet>
  )
}
