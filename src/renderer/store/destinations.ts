/**
 * Why a disk or volume can't be the destination of a source, as far as the window can tell. A courtesy, so that a drag
 * says at once what the preflight would say; the engine decides, and checks again. Pure.
 */
import { unreachable } from '#shared/errors'
import type { Disk, Protection, SourceInfo, Volume } from '#shared/model'
import type { EngineMirror } from './engine-mirror.ts'
import { isInside } from './file-place.ts'
import type { Item } from './items.ts'
import type { SourceChoice } from './view-state.ts'

export type DestinationProblem =
  | { readonly kind: 'protected'; readonly protection: Protection }
  | { readonly kind: 'busy' } // a job of ours uses it
  | { readonly kind: 'same' } // it is the source, or a part of it, or holds it as a part
  | { readonly kind: 'holds-source'; readonly sourceName: string } // the source image is stored on it
  | { readonly kind: 'too-small'; readonly missingBytes: number; readonly neededBytes: number }
  | { readonly kind: 'image-file' } // an image file isn't a disk
  | { readonly kind: 'stream' } // neither is a stream

/** `volume` null means the whole disk; `source` null when none is chosen yet. */
export function destinationProblem(
  disk: Disk,
  volume: Volume | null,
  source: SourceChoice | null,
): DestinationProblem | null {
  if (disk.protection) return { kind: 'protected', protection: disk.protection }
  if (volume?.readOnly || disk.readOnly) return { kind: 'protected', protection: { kind: 'read-only' } }
  if (disk.busy) return { kind: 'busy' }
  if (!source?.info) return null
  if (overlaps(source.info, disk, volume)) return { kind: 'same' }
  if (holdsSource(source.info, disk, volume)) return { kind: 'holds-source', sourceName: source.name }
  const isPartition = volume !== null && volume.path !== disk.path
  const neededBytes = isPartition ? leastVolumeBytes(source.info) : sourceSize(source.info)
  const availableBytes = volume?.sizeBytes ?? disk.sizeBytes
  if (neededBytes !== null && neededBytes > availableBytes)
    return { kind: 'too-small', missingBytes: neededBytes - availableBytes, neededBytes }
  return null
}

/** The same for anything in the sidebar. */
export function itemProblem(item: Item, source: SourceChoice | null): DestinationProblem | null {
  if (item.kind === 'image') return { kind: 'image-file' }
  if (item.kind === 'stream') return { kind: 'stream' }
  return destinationProblem(item.disk, item.kind === 'volume' ? item.volume : null, source)
}

/** Bytes a restore of this source needs; null when not known beforehand. */
export function sourceSize(info: SourceInfo): number | null {
  switch (info.kind) {
    case 'image':
      return info.image.sizeBytes
    case 'stream':
      return info.image === null ? info.stream.streamBytes : info.image.sizeBytes
    case 'disk':
      return info.disk.sizeBytes
    case 'volume':
      return info.volume.sizeBytes
    default:
      return unreachable(info)
  }
}

/** Bytes that a partition needs at least: of an image with a map it gets one volume, and which one the engine tells. */
function leastVolumeBytes(info: SourceInfo): number | null {
  if (info.kind !== 'image' || info.image.partitionMap === 'none') return sourceSize(info)
  const volumes = info.image.partitions.filter(({ type }) => type !== 'EFI System')
  // Where none is known, the engine takes all of it for one.
  if (volumes.every(({ filesystem }) => filesystem === null)) return sourceSize(info)
  return Math.min(...volumes.map(({ sizeBytes }) => sizeBytes))
}

function overlaps(info: SourceInfo, disk: Disk, volume: Volume | null): boolean {
  if (info.kind === 'image') return disk.backingFile !== null && disk.backingFile === info.image.path
  if (info.kind === 'stream' || info.disk.path !== disk.path) return false
  const sourceVolume = info.kind === 'volume' ? info.volume.path : null
  return sourceVolume === null || volume === null || sourceVolume === volume.path
}

/** Whether the image file lies on one of the volumes that would be erased. */
function holdsSource(info: SourceInfo, disk: Disk, volume: Volume | null): boolean {
  if (info.kind !== 'image') return false
  const volumes = volume ? [volume] : disk.volumes
  return volumes.some((volume) =>
    volume.mountPoints.some((mountPoint) => mountPoint !== '/' && isInside(info.image.path, mountPoint)),
  )
}

export interface DestinationOption {
  readonly disk: Disk
  readonly volume: Volume | null
  readonly problem: DestinationProblem | null
  /** Of a volume: its disk stands above it. Else that is among the others, the possible or the impossible ones. */
  readonly underDisk: boolean
}

/** What `Choose…` lists: the shown disks with their volumes, possible ones first. */
export function destinationOptions(
  mirror: EngineMirror,
  source: SourceChoice | null,
): readonly DestinationOption[] {
  const showInternal = mirror.app?.preferences.showInternalDisks ?? false
  const disks = mirror.diskPaths
    .map((path) => mirror.disks[path])
    .filter((disk) => disk !== undefined)
    .filter((disk) => showInternal || !disk.internal)
  const options = disks.flatMap((disk): DestinationOption[] => {
    const whole = destinationProblem(disk, null, source)
    return [
      { disk, volume: null, problem: whole, underDisk: false },
      ...disk.volumes
        .filter((volume) => volume.path !== disk.path)
        .map((volume) => {
          const problem = destinationProblem(disk, volume, source)
          return { disk, volume, problem, underDisk: (problem === null) === (whole === null) }
        }),
    ]
  })
  return [...options.filter((option) => !option.problem), ...options.filter((option) => option.problem)]
}
