/** A disk or an image as stretches to be drawn: what is where, and how much of it is used. Pure; sizes in bytes. */
import type { Disk, ImageInfo, Volume } from '#shared/model'
import { describeFilesystem } from '#shared/words'

export interface Segment {
  readonly key: string
  readonly name: string
  readonly sizeBytes: number
  /** Null when unknown; then the whole stretch is drawn full. */
  readonly usedBytes: number | null
  /** 1 to 6, by its place among the partitions, so that a disk has the colours of the image it came from. */
  readonly color: number | 'free'
}

/** Gaps smaller than this share of the disk are alignment, not worth drawing. */
const smallestGap = 0.005

/** capacity-bar.css has as many. */
const colors = 6

interface Stretch {
  readonly key: string
  readonly name: string
  readonly offset: number
  readonly sizeBytes: number
  readonly usedBytes: number | null
}

export function diskSegments(disk: Disk, nameOf: (volume: Volume) => string): readonly Segment[] {
  const stretches = disk.volumes.map((volume) => ({
    key: volume.path,
    name: nameOf(volume),
    offset: volume.offset,
    sizeBytes: volume.sizeBytes,
    usedBytes: volume.usedBytes,
  }))
  return layOut(stretches, disk.sizeBytes)
}

export function imageSegments(image: ImageInfo): readonly Segment[] {
  const stretches = image.partitions.map((partition) => ({
    key: String(partition.index),
    name:
      partition.label ??
      partition.name ??
      (partition.filesystem === null ? partition.type : describeFilesystem(partition.filesystem)),
    offset: partition.offset,
    sizeBytes: partition.sizeBytes,
    usedBytes: null,
  }))
  return image.sizeBytes === null ? [] : layOut(stretches, image.sizeBytes)
}

/** One of a disk's, in the colour that it has there. */
export function volumeSegments(volume: Volume, disk: Disk, name: string): readonly Segment[] {
  const { path: key, sizeBytes, usedBytes } = volume
  const color = diskSegments(disk, () => '').find((segment) => segment.key === key)?.color ?? 1
  return [{ key, name, sizeBytes, usedBytes, color }]
}

/** In order of offset, with the gaps between. Stretches that overlap or reach over the end are cut to what is there. */
function layOut(stretches: readonly Stretch[], totalBytes: number): readonly Segment[] {
  const segments: Segment[] = []
  let at = 0
  let count = 0
  const gap = (until: number) => {
    if (until - at > totalBytes * smallestGap)
      segments.push({
        key: `free-${at}`,
        name: 'Free',
        sizeBytes: until - at,
        usedBytes: null,
        color: 'free',
      })
  }
  for (const stretch of [...stretches].sort((a, b) => a.offset - b.offset)) {
    const start = Math.max(at, stretch.offset)
    const end = Math.min(totalBytes, stretch.offset + stretch.sizeBytes)
    if (end <= start) continue
    gap(start)
    segments.push({
      key: stretch.key,
      name: stretch.name,
      sizeBytes: end - start,
      usedBytes: stretch.usedBytes,
      color: (count % colors) + 1,
    })
    count += 1
    at = end
  }
  if (segments.length === 0)
    return [{ key: 'whole', name: 'No volumes', sizeBytes: totalBytes, usedBytes: null, color: 'free' }]
  gap(totalBytes)
  return segments
}
