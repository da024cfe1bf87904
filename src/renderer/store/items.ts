/** The things in the sidebar, by id: how to name them, find them and group them. Pure. */
import { unreachable } from '#shared/errors'
import type { Disk, FoundStream, Volume } from '#shared/model'
import type { EngineMirror } from './engine-mirror.ts'
import type { ItemId, OpenedImage, ViewState } from './view-state.ts'

export type Item =
  | { readonly kind: 'disk'; readonly disk: Disk }
  | { readonly kind: 'volume'; readonly disk: Disk; readonly volume: Volume }
  | { readonly kind: 'image'; readonly image: OpenedImage }
  | { readonly kind: 'stream'; readonly stream: FoundStream }

export type DeviceItem = Extract<Item, { readonly kind: 'disk' | 'volume' }>

export const isDeviceItem = (item: Item | null): item is DeviceItem =>
  item?.kind === 'disk' || item?.kind === 'volume'

export const diskId = (path: string): ItemId => `disk:${path}`
export const volumeId = (path: string): ItemId => `volume:${path}`
export const streamId = (locator: string): ItemId => `stream:${locator}`
export const imageId = (path: string): ItemId => `image:${path}`

/** The path behind an id: what a request's `source` and `target` take. */
export const locatorOf = (id: ItemId): string => id.slice(id.indexOf(':') + 1)

export function findItem(mirror: EngineMirror, images: readonly OpenedImage[], id: ItemId): Item | null {
  const path = locatorOf(id)
  if (id.startsWith('image:')) {
    const image = images.find((image) => image.path === path)
    return image ? { kind: 'image', image } : null
  }
  if (id.startsWith('stream:')) {
    const stream = mirror.streams.find((stream) => stream.locator === path)
    return stream ? { kind: 'stream', stream } : null
  }
  if (id.startsWith('disk:')) {
    const disk = mirror.disks[path]
    return disk ? { kind: 'disk', disk } : null
  }
  for (const disk of Object.values(mirror.disks)) {
    const volume = disk.volumes.find((volume) => volume.path === path)
    if (volume) return { kind: 'volume', disk, volume }
  }
  return null
}

/** The node of a disk or volume. */
export const devicePath = (item: DeviceItem): string =>
  item.kind === 'disk' ? item.disk.path : item.volume.path

/** What a person calls the item. */
export function itemName(item: Item): string {
  switch (item.kind) {
    case 'disk':
      return item.disk.name
    case 'volume':
      return volumeName(item.volume)
    case 'image':
      return item.image.name
    case 'stream':
      return item.stream.name
    default:
      return unreachable(item)
  }
}

/** The label, else what the partition map calls it, else the node's name: as the engine's plans name it. */
export const volumeName = (volume: Volume): string =>
  volume.label?.trim() || volume.partitionType?.trim() || (volume.path.split('/').at(-1) ?? volume.path)

/** Something one can take away: not built in, not in use by us, and not the Practice disk, which is only a file. */
export function canEject(item: Item): boolean {
  if (item.kind === 'image' || item.kind === 'stream') return false
  const { disk } = item
  const runsHere = disk.protection?.kind === 'system' || disk.protection?.kind === 'program'
  return !disk.internal && !disk.busy && !disk.practice && !runsHere
}

/** In bytes; null while an image is being read, or when only reading it all would tell. */
export function itemSize(item: Item): number | null {
  switch (item.kind) {
    case 'disk':
      return item.disk.sizeBytes
    case 'volume':
      return item.volume.sizeBytes
    case 'image':
      return item.image.info?.sizeBytes ?? null
    case 'stream':
      return item.stream.sizeBytes
    default:
      return unreachable(item)
  }
}

export type GroupName = 'internal' | 'external' | 'images' | 'streams'

/** The sidebar's groups as ids, in order. Empty groups are left out. */
export interface SidebarGroup {
  readonly name: GroupName
  /** Paths of disks, then paths of image files. */
  readonly disks: readonly string[]
  readonly images: readonly string[]
  /** Locators of streams on the network. */
  readonly streams: readonly string[]
}

/** Where the sidebar shows a disk: attached images and disks in files lie under Disk Images. */
export function groupOf(disk: Disk): GroupName {
  if (disk.bus === 'loop' || disk.bus === 'file') return 'images'
  return disk.internal ? 'internal' : 'external'
}

export function sidebarGroups(mirror: EngineMirror, view: ViewState): readonly SidebarGroup[] {
  const showInternal = mirror.app?.preferences.showInternalDisks ?? false
  const inGroup = (name: GroupName) =>
    mirror.diskPaths.filter((path) => {
      const disk = mirror.disks[path]
      return disk !== undefined && groupOf(disk) === name
    })
  const groups: SidebarGroup[] = [
    { name: 'internal', disks: showInternal ? inGroup('internal') : [], images: [], streams: [] },
    { name: 'external', disks: inGroup('external'), images: [], streams: [] },
    {
      name: 'images',
      disks: inGroup('images'),
      images: view.images.map((image) => image.path),
      streams: [],
    },
    { name: 'streams', disks: [], images: [], streams: mirror.streams.map((stream) => stream.locator) },
  ]
  return groups.filter((group) => group.disks.length + group.images.length + group.streams.length > 0)
}
