/** Whether a disk or volume is still the one that was chosen, and what the wells are when it isn't. Pure. */
import type { Disk, RestoreRequest, TargetInfo, Volume } from '#shared/model'
import { diskId, imageId, locatorOf, volumeId, volumeName, type DeviceItem } from './items.ts'
import type { DestinationChoice, ItemId, ServerView, SourceChoice, ViewState } from './view-state.ts'

/**
 * What the wells and the selection are after the disks changed: what was unplugged is `gone` until it is chosen again,
 * whether or not it comes back; the rest is shown as it is now. The Practice disk that was made as new is the same to
 * people. Pure; returns only what changed.
 */
export function afterDevices(view: ViewState, disks: Disks, before: Disks): Partial<ViewState> {
  const source = followSource(view.source, disks)
  const destination = followDestination(view.destination, disks)
  const server = followStreamed(view.server, disks)
  return {
    ...(source === view.source ? {} : { source }),
    ...(destination === view.destination ? {} : { destination }),
    ...(server === view.server ? {} : { server }),
    // The tick was for the disk that is gone, or for what was on it.
    ...(view.options.erase && destination !== null && isAnother(view.destination, destination)
      ? { options: { ...view.options, erase: false } }
      : {}),
    ...(view.selected !== null && !isThere(view.selected, disks, before) ? { selected: null } : {}),
  }
}

/** Of a disk as it was, what tells whether it still is. */
interface EarlierDisk {
  readonly path: string
  readonly identity: string
  readonly volumes: readonly { readonly path: string; readonly offset: number }[]
}

/** A destination as it was; without a disk it is a file. */
export interface EarlierTarget {
  readonly kind: TargetInfo['kind']
  readonly path: string
  readonly disk: EarlierDisk | null
  /** See `DestinationChoice`. */
  readonly form?: RestoreRequest['form'] | undefined
}

/** A source as it was; without a disk it is a file or a stream. */
export interface EarlierSource {
  readonly locator: string
  readonly disk: EarlierDisk | null
}

type Disks = { readonly [path: string]: Disk }

function followSource(source: SourceChoice | null, disks: Disks): SourceChoice | null {
  if (!source?.info || source.state === 'gone') return source
  const { info, holder } = source
  if (!('disk' in info)) return holder && !sameDisk(holder, disks) ? { ...source, state: 'gone' } : source
  const disk = diskNow(info.disk, disks)
  if (!disk) return { ...source, state: 'gone' }
  if (disk === info.disk) return source
  if (info.kind === 'disk') return { ...source, info: { ...info, disk } }
  const volume = sameVolume(info.volume, disk)
  return volume ? { ...source, info: { ...info, disk, volume } } : { ...source, state: 'gone' }
}

function followDestination(destination: DestinationChoice | null, disks: Disks): DestinationChoice | null {
  if (!destination?.disk || destination.state === 'gone') return destination
  const disk = diskNow(destination.disk, disks)
  if (!disk) return { ...destination, state: 'gone' }
  if (disk === destination.disk) return destination
  const { volume } = destination
  if (!volume) return { ...destination, disk, name: disk.name }
  const now = sameVolume(volume, disk)
  return now
    ? { ...destination, disk, volume: now, name: volumeName(now) }
    : { ...destination, disk, state: 'gone' }
}

/** What is to be streamed, and what was found out about it. */
function followStreamed(server: ServerView, disks: Disks): ServerView {
  const { device } = server.draft
  if (!device || device.state === 'gone') return server
  const item = sameDevice(device.item, disks)
  if (item === device.item) return server
  if (item) return { ...server, draft: { ...server.draft, device: { item, state: 'ready' } } }
  const draft = { ...server.draft, device: { ...device, state: 'gone' as const } }
  return { ...server, draft, check: { state: 'none' }, refusal: null }
}

/** The disk or volume as it is now; null where something else is in its place, or nothing. */
export function sameDevice(item: DeviceItem, disks: Disks): DeviceItem | null {
  const disk = diskNow(item.disk, disks)
  if (!disk || disk === item.disk) return disk && item
  if (item.kind === 'disk') return { kind: 'disk', disk }
  const volume = sameVolume(item.volume, disk)
  return volume && { kind: 'volume', disk, volume }
}

/** The disk is the one it was, and so is the place of the volume on it. */
export function isSameTarget({ kind, path, disk }: EarlierTarget, disks: Disks): boolean {
  const now = disk && sameDisk(disk, disks)
  if (!now) return false
  if (kind === 'disk') return now.path === path
  const placeIn = (volumes: EarlierDisk['volumes']) => volumes.find((volume) => volume.path === path)?.offset
  return placeIn(now.volumes) !== undefined && placeIn(now.volumes) === placeIn(disk.volumes)
}

/** The row of what an earlier source was: a disk or volume only where it is the same. */
export function sameItem({ locator, disk }: EarlierSource, disks: Disks): ItemId | null {
  if (!disk) return imageId(locator)
  const kind = disk.path === locator ? 'disk' : 'partition'
  if (!isSameTarget({ kind, path: locator, disk }, disks)) return null
  return kind === 'disk' ? diskId(locator) : volumeId(locator)
}

function sameDisk(disk: Pick<Disk, 'path' | 'identity'>, disks: Disks): Disk | null {
  const now = disks[disk.path]
  return now && now.identity === disk.identity ? now : null
}

/** The Practice disk is made anew in its place, and nobody unplugs it. */
const diskNow = (disk: Disk, disks: Disks): Disk | null => {
  const now = disks[disk.path]
  return disk.practice && now?.practice ? now : sameDisk(disk, disks)
}

/** Gone, or made as new. */
const isAnother = (before: DestinationChoice | null, now: DestinationChoice): boolean =>
  now.state === 'gone' || before?.disk?.identity !== now.disk?.identity

const sameVolume = ({ path, offset }: Volume, { volumes }: Disk): Volume | null =>
  volumes.find((now) => now.path === path && now.offset === offset) ?? null

/** Where another disk has taken its place, what is done with the row would be done with that one. */
function isThere(id: ItemId, disks: Disks, before: Disks): boolean {
  // Disks say nothing of these.
  if (id.startsWith('image:') || id.startsWith('stream:')) return true
  const [was, now] = [diskOf(id, before), diskOf(id, disks)]
  return now !== null && (was === null || diskNow(was, disks) === now)
}

function diskOf(id: ItemId, disks: Disks): Disk | null {
  const path = locatorOf(id)
  if (id.startsWith('disk:')) return disks[path] ?? null
  return Object.values(disks).find(({ volumes }) => volumes.some((volume) => volume.path === path)) ?? null
}
