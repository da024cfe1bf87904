/** What a restore takes from its destination, and how the person has to agree to it. Pure. */
import { agreedLosses, type Confirmation, type Disk, type Loss, type Volume } from '#shared/model'
import { overlapping } from './overlapping.ts'

/** Above this a disk is more likely somebody's archive than a stick to restore onto. Decimal, as disks are sold. */
const largeBytes = 1e12
const manyVolumes = 3

/** `label`, or what the map calls the partition, or the node's name. Never empty. */
export function volumeName(volume: Volume): string {
  return (
    volume.label?.trim() || volume.partitionType?.trim() || (volume.path.split('/').at(-1) ?? volume.path)
  )
}

/** A disk loses every volume and its map, a partition its one volume, and what lies in the same place. */
export function deviceLosses(disk: Disk, volume: Volume | null): readonly Loss[] {
  if (volume !== null) return [volume, ...overlapping(disk, volume)].map(volumeLoss)
  const losses = disk.volumes.map(volumeLoss)
  if (disk.partitionMap !== 'none')
    losses.push({ ...whole(disk), kind: 'partition-map', name: disk.partitionMap })
  // Nothing was recognised: there may be something all the same.
  return losses.length > 0 ? losses : [{ ...whole(disk), kind: 'contents', name: disk.name }]
}

function volumeLoss(volume: Volume): Loss {
  return {
    kind: volume.filesystem === null ? 'contents' : 'volume',
    name: volumeName(volume),
    path: volume.path,
    filesystem: volume.filesystem,
    sizeBytes: volume.sizeBytes,
    usedBytes: volume.usedBytes,
    mountPoints: volume.mountPoints,
  }
}

const whole = ({ path, sizeBytes }: Disk) => ({
  path,
  sizeBytes,
  filesystem: null,
  usedBytes: null,
  mountPoints: [],
})

/** A file that is there and holds something. */
export function fileLosses(
  name: string,
  path: string,
  facts: { readonly sizeBytes: number } | null,
): readonly Loss[] {
  if (facts === null || facts.sizeBytes === 0) return []
  const { sizeBytes } = facts
  return [{ kind: 'file', name, path, filesystem: null, sizeBytes, usedBytes: null, mountPoints: [] }]
}

/** The same things would be lost as when the person looked. */
export const sameLosses = (a: readonly Loss[], b: readonly Loss[]): boolean =>
  JSON.stringify(agreedLosses(a)) === JSON.stringify(agreedLosses(b))

/** Typed out where a slip would hurt most: an internal disk, a very large one, one with many volumes in use. */
export function confirmationFor(name: string, disk: Disk, volume: Volume | null): Confirmation {
  const mounted = (volume === null ? disk.volumes : [volume]).filter((each) => each.mountPoints.length > 0)
  const reasons = [
    ...(disk.internal ? ['internal' as const] : []),
    ...((volume ?? disk).sizeBytes > largeBytes ? ['large' as const] : []),
    ...(mounted.length > manyVolumes ? ['many-volumes' as const] : []),
  ]
  return reasons.length === 0 ? { kind: 'plain' } : { kind: 'type', phrase: name, reasons }
}
