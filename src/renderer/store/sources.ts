/**
 * Why a thing in the sidebar surely can't be the source, as far as the window can tell: as with destinations a courtesy, so that a drag
 * says it at once. A volume that is mounted can be: it is unmounted while it is read. The engine decides. Pure.
 */
import type { Disk, Protection, Volume } from '#shared/model'
import { isLocked } from './image-work.ts'
import type { DeviceItem, Item } from './items.ts'
import type { DestinationChoice, OpenedImage } from './view-state.ts'

export type SourceObstacle =
  | { readonly kind: 'destination' } // or a part of it, or it is a part of this
  | { readonly kind: 'protected'; readonly protection: Protection }
  | { readonly kind: 'written' } // by a job of ours
  | { readonly kind: 'no-medium' }
  | { readonly kind: 'unreadable' } // what is in the file isn't an image, or damaged

export function sourceObstacle(item: Item, destination: DestinationChoice | null): SourceObstacle | null {
  if (item.kind === 'stream') return null
  if (isDestination(item, destination)) return { kind: 'destination' }
  return item.kind === 'image' ? imageObstacle(item.image) : deviceObstacle(item)
}

/** What couldn't be reached may be there by now; another file in its place is opened anew. */
const imageObstacle = ({ state, error }: OpenedImage): SourceObstacle | null =>
  state === 'failed' && error?.family === 'format' && !isLocked({ error }) ? { kind: 'unreadable' } : null

function deviceObstacle(item: DeviceItem): SourceObstacle | null {
  const { disk } = item
  const volume = item.kind === 'volume' && item.volume.path !== disk.path ? item.volume : null
  if ((volume ?? disk).sizeBytes === 0) return { kind: 'no-medium' }
  if (disk.busy && disk.onlyRead !== true) return { kind: 'written' }
  if (disk.protection?.kind === 'in-use') return { kind: 'protected', protection: disk.protection }
  if (disk.protection?.kind !== 'system' && disk.protection?.kind !== 'program') return null
  // What this computer runs from changes while it is read, and can't be unmounted.
  if (disk.protection.kind === 'system' && (volume ? [volume] : disk.volumes).some(isWritable))
    return { kind: 'protected', protection: disk.protection }
  const user = userOf(disk, volume)
  return user === null ? null : { kind: 'protected', protection: { kind: 'in-use', by: user } }
}

const isWritable = ({ mountPoints, readOnly, mountedReadOnly }: Volume): boolean =>
  mountPoints.length > 0 && !readOnly && mountedReadOnly !== true

/** What stands on the disk as a whole stands on its partitions too. */
const userOf = ({ users = [], path }: Disk, volume: Volume | null): string | null =>
  users.find((user) => volume === null || user.path === volume.path || user.path === path)?.by ?? null

function isDestination(item: Exclude<Item, { kind: 'stream' }>, destination: DestinationChoice | null) {
  if (!destination || destination.state === 'gone') return false
  const { disk, volume, locator } = destination
  if (item.kind === 'image') return locator === item.image.path || disk?.backingFile === item.image.path
  if (disk?.path !== item.disk.path) return false
  return item.kind === 'disk' || volume === null || volume.path === item.volume.path
}
