/** What stands in a row. It watches its own item and nothing else. */
import { ChevronRight, GripVertical, Lock, Shield } from 'lucide-react'
import { Button } from 'react-aria-components'
import { DeviceIcon, itemIcon, Spinner, StateIcon } from '#renderer/components'
import { findItem, isLocked, itemName, itemSize, useBoth, type Item, type ItemId } from '#renderer/store'
import { formatBytes } from '#shared/units'
import { describeProtection } from '#shared/words'

interface Props {
  readonly id: ItemId
  readonly expandable: boolean
  /** A volume then has no disk above it that says what holds for both. */
  readonly alone: boolean
}

export function RowContent({ id, expandable, alone }: Props) {
  const item = useBoth((mirror, view) => findItem(mirror, view.images, id), sameItem)
  if (!item) return null
  const size = itemSize(item)
  return (
    <>
      <Button slot="drag" className="row-grip">
        <GripVertical size={12} aria-hidden />
      </Button>
      {expandable ? (
        <Button slot="chevron" className="row-chevron">
          <ChevronRight size={12} strokeWidth={2.5} aria-hidden />
        </Button>
      ) : (
        <span className="row-chevron" />
      )}
      <DeviceIcon name={itemIcon(item)} size={18} />
      <span className="row-name ellipsis" title={alone ? fullName(item) : itemName(item)}>
        {itemName(item)}
      </span>
      {(alone || item.kind !== 'volume') && <RowMark item={item} />}
      {size !== null && <span className="row-size">{formatBytes(size)}</span>}
    </>
  )
}

const fullName = (item: Item): string =>
  item.kind === 'volume' ? `${itemName(item)} on ${item.disk.name}` : itemName(item)

/** `findItem` builds a new object each time; what is inside keeps its identity. */
function sameItem(a: Item | null, b: Item | null): boolean {
  if (!a || !b || a.kind !== b.kind) return a === b
  if (a.kind === 'image') return b.kind === 'image' && a.image === b.image
  if (a.kind === 'stream') return b.kind === 'stream' && a.stream === b.stream
  if (a.kind === 'volume') return b.kind === 'volume' && a.volume === b.volume && a.disk === b.disk
  return b.kind === 'disk' && a.disk === b.disk
}

/** A shield for what is protected, a wheel for what is busy. */
function RowMark({ item }: { readonly item: Item }) {
  if (item.kind === 'image') {
    if (item.image.state === 'reading') return <Spinner size={12} />
    if (isLocked(item.image))
      return (
        <span role="img" className="row-shield" aria-label="locked" title="Locked: needs its password">
          <Lock size={12} aria-hidden />
        </span>
      )
    return item.image.state === 'failed' ? <StateIcon state="failed" /> : null
  }
  if (item.kind === 'stream') return null
  const { disk } = item
  if (disk.busy)
    return (
      <span role="img" aria-label="busy" title="In use by a job">
        <Spinner size={12} />
      </span>
    )
  if (disk.protection) {
    const reason = describeProtection(disk.protection)
    return (
      <span
        role="img"
        className="row-shield"
        aria-label={`protected: ${reason}`}
        title={`Protected: ${reason}`}
      >
        <Shield size={12} aria-hidden />
      </span>
    )
  }
  return null
}
