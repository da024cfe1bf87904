/** Whose a volume is: a known file system's, or that of something else that marks what it owns. */
import type { ReadDisk } from '#engine/formats/struct'
import type { Span } from './linux-raid.ts'
import { findOtherOwner } from './other-owners.ts'
import { sniffFilesystem } from './sniff-filesystem.ts'
import type { FoundFilesystem } from './volume.ts'

export interface Occupant {
  readonly filesystem: FoundFilesystem | null
  /** RAID, encryption or a volume manager; what seems to be a file system beside its mark needn't be one. */
  readonly otherOwner: string | null
}

/**
 * Of the volume at `offset` of a disk, `sizeBytes` long, all of it on the disk. `partitions` of it, if a map says that it has
 * some, may have marks of their own at its end. Rejects with what the medium throws.
 */
export async function readOccupant(
  readDisk: ReadDisk,
  { offset, sizeBytes, partitions = [] }: Span & { readonly partitions?: readonly Span[] },
): Promise<Occupant> {
  const volume = {
    sizeBytes,
    read: async (at: number, lengthBytes: number) => Buffer.from(await readDisk(offset + at, lengthBytes)),
  }
  return {
    filesystem: await sniffFilesystem(readDisk, { offset, sizeBytes }),
    otherOwner: await findOtherOwner(volume, partitions),
  }
}
