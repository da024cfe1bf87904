/** Partitions that share space: an extended one and the logical ones in it, those of hybrid discs. */
import type { Disk, Volume } from '#shared/model'

/** Of one disk. */
export const overlaps = (a: Volume, b: Volume): boolean =>
  a.offset < b.offset + b.sizeBytes && b.offset < a.offset + a.sizeBytes

/** The others that share space with `volume`; null: the whole disk, which has them all. */
export const overlapping = (disk: Disk, volume: Volume | null): readonly Volume[] =>
  volume === null ? [] : disk.volumes.filter((each) => each.path !== volume.path && overlaps(each, volume))
