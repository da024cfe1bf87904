/** Tells which file system a volume holds, by its superblock. Nothing is mounted, nothing but a few blocks is read. */
import { readOrNull, type ReadDisk } from '#engine/formats/struct'
import { sniffApfs, sniffHfs } from './apple.ts'
import { sniffExfat, sniffFat } from './fat.ts'
import { sniffIso9660 } from './iso9660.ts'
import { sniffBtrfs, sniffExt, sniffSquashfs, sniffSwap, sniffXfs } from './linux.ts'
import { sniffNtfs } from './ntfs.ts'
import { readHead } from './read-head.ts'
import { headBytes, type FoundFilesystem, type Sniffer, type Volume } from './volume.ts'

/**
 * The first that is found counts. ISO 9660 comes before HFS+, for hybrid discs hold both and are discs to everyone; FAT,
 * which has no real signature, comes last.
 */
const sniffers: readonly Sniffer[] = [
  sniffApfs,
  sniffIso9660,
  sniffHfs,
  sniffXfs,
  sniffExfat,
  sniffNtfs,
  sniffExt,
  sniffBtrfs,
  sniffSquashfs,
  sniffSwap,
  sniffFat,
]

/** Larger labels don't exist; no sniffer needs to read more at once. */
const maxReadBytes = 65_536

/** Of a disk: where a volume is, in bytes. */
interface Place {
  readonly offset: number
  readonly sizeBytes: number
}

/**
 * The file system of the volume at `offset` of a disk, `sizeBytes` long. Null when none is recognised or its first bytes
 * can't be decoded. Rejects with what the medium throws.
 */
export async function sniffFilesystem(readDisk: ReadDisk, place: Place): Promise<FoundFilesystem | null> {
  for await (const found of sniff(readDisk, place)) return found
  return null
}

/** All whose marks are there; the first is what `sniffFilesystem` finds. Volumes that were made anew may keep old ones. */
export async function sniffAllFilesystems(readDisk: ReadDisk, place: Place): Promise<FoundFilesystem[]> {
  return await Array.fromAsync(sniff(readDisk, place))
}

async function* sniff(readDisk: ReadDisk, { offset, sizeBytes }: Place): AsyncGenerator<FoundFilesystem> {
  const head = Buffer.alloc(headBytes)
  const start = await readOrNull(
    readHead((at, lengthBytes) => readDisk(offset + at, lengthBytes), Math.min(headBytes, sizeBytes)),
  )
  if (start === null) return
  head.set(start)
  const volume: Volume = {
    head,
    sizeBytes,
    async more(at, lengthBytes) {
      if (at < 0 || lengthBytes < 0 || lengthBytes > maxReadBytes || at + lengthBytes > sizeBytes) return null
      const bytes = await readOrNull(readDisk(offset + at, lengthBytes))
      return bytes === null ? null : Buffer.from(bytes)
    },
  }
  for (const sniffer of sniffers) {
    const found = await sniffer(volume)
    if (found !== null) yield found
  }
}
