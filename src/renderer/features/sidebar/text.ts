/** The sidebar's own words. */
import type { GroupName } from '#renderer/store'

const groups: { readonly [name in GroupName]: string } = {
  internal: 'Internal',
  external: 'External',
  images: 'Disk Images',
  streams: 'Network Streams',
}

export const groupTitle = (name: GroupName): string => groups[name]
