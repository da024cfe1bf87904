/** Get Info: everything that is known of a disk, a volume or an image; for an image, its checksums can be recomputed. */
import { Button, CapacityBar, DeviceIcon, Facts, Sheet } from '#renderer/components'
import {
  findItem,
  itemName,
  sameData,
  useActions,
  useBoth,
  type EngineMirror,
  type ViewState,
} from '#renderer/store'
import { itemIcon, itemSegments } from './info-footer.tsx'
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
          {item.kind === 'image' && item.image.state === 'ready' && (
            <Button onPress={() => void actions.verifyImage(item.image.path)}>Verify</Button>
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
