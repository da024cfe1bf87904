/**
 * Whether Windows keeps shadow copies of an NTFS volume: restore points, previous versions of files. What has been deleted
 * since one was made is free to the file system and still needed by it, so an image of what is used has them in part only.
 * They don't make a volume be read whole: most of Windows' system disks have some, and images of these would be as large as
 * the disks. Layout as in libvshadow's description of the format.
 */
import type { BlockVolume } from './used-blocks.ts'

/** In the last sectors of $Boot. */
const headerAt = 0x1e00
const headerBytes = 128
/** 3808876b-c176-4e48-b7ae-04046e6cc752. */
const identifier = Buffer.from('6b87083876c1484eb7ae04046e6cc752', 'hex')
/** Where the list of them begins; zero when there are none. */
const catalogField = 48

export async function hasShadowCopies(volume: BlockVolume): Promise<boolean> {
  if (volume.sizeBytes < headerAt + headerBytes) return false
  const header = await volume.read(headerAt, headerBytes)
  return header.subarray(0, 16).equals(identifier) && header.readBigUInt64LE(catalogField) !== 0n
}
