/** What all partition maps come out as. */
import type { PartitionMapKind } from '#shared/model'

/** A partition as its map tells it: it may lie where no disk is. Bytes. */
export interface PartitionEntry {
  /** 1-based place in the map, as systems count it (`disk2s1`, `sda1`). */
  readonly index: number
  readonly name: string | null
  /** In words where known: `EFI System`, `Apple_HFS`, `Linux filesystem`; else the map's own number. */
  readonly type: string
  readonly offset: number
  readonly sizeBytes: number
}

export interface PartitionMap {
  readonly kind: PartitionMapKind
  /** In the order of the map. Free space and the map itself are left out. */
  readonly partitions: readonly PartitionEntry[]
  /** Of the disk that the map was made for: where a map lies, and what its numbers count, depends on it. */
  readonly blockBytes: number
}
