/** The drawings of disks, volumes and images. Decoration: the name stands beside them. */
import type { Disk } from '#shared/model'
import attached from '#assets/disk-image-attached.svg'
import external from '#assets/disk-external.svg'
import file from '#assets/disk-file.svg'
import image from '#assets/disk-image.svg'
import internal from '#assets/disk-internal.svg'
import practiceDisk from '#assets/practice-disk.svg'
import practiceImage from '#assets/practice-image.svg'
import sdCard from '#assets/sd-card.svg'
import stream from '#assets/network-stream.svg'
import volume from '#assets/volume.svg'

const drawings = {
  attached,
  external,
  file,
  image,
  internal,
  'practice-disk': practiceDisk,
  'practice-image': practiceImage,
  'sd-card': sdCard,
  stream,
  volume,
}

export type IconName = keyof typeof drawings

export function diskIcon(disk: Disk): IconName {
  if (disk.practice) return 'practice-disk'
  if (disk.bus === 'loop') return 'attached'
  if (disk.bus === 'file') return 'file'
  if (disk.bus === 'sd') return 'sd-card'
  return disk.internal ? 'internal' : 'external'
}

/** What can be drawn; rows of the sidebar are. */
type Drawable =
  | { readonly kind: 'disk'; readonly disk: Disk }
  | { readonly kind: 'volume' }
  | { readonly kind: 'image'; readonly image: { readonly practice: boolean } }
  | { readonly kind: 'stream' }

export function itemIcon(item: Drawable): IconName {
  if (item.kind === 'disk') return diskIcon(item.disk)
  if (item.kind === 'image') return item.image.practice ? 'practice-image' : 'image'
  return item.kind
}

export function DeviceIcon({ name, size }: { readonly name: IconName; readonly size: 18 | 28 | 40 }) {
  return <img src={drawings[name]} alt="" width={size} height={size} draggable={false} />
}
