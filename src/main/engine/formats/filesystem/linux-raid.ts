/**
 * Superblocks of Linux' RAID. Two kinds lie at the end, where that of a disk and that of its last partition are at one
 * place; what they say of themselves tells whose they are. As in the Linux kernel's drivers/md/md.c and util-linux's libblkid.
 */
import { readableOrNull } from '#engine/formats/struct'
import type { BlockVolume } from './used-blocks.ts'

/** A stretch of a volume that is a volume itself. */
export interface Span {
  readonly offset: number
  readonly sizeBytes: number
}

const magic = 0xa92b4efc
/** What a member of version 0.90 keeps at its end, rounded down to whole ones. */
const reservedBytes = 65_536

/** Its name, or null. `partitions`: what a map says the volume is divided into. */
export async function findLinuxRaid(
  volume: BlockVolume,
  partitions: readonly Span[],
): Promise<string | null> {
  const places = [
    ['linux raid 1.1', 0],
    ['linux raid 1.2', 4096],
    ['linux raid 1.0', Math.floor(volume.sizeBytes / 4096) * 4096 - 8192],
  ] as const
  for (const [name, at] of places) if (await isVersion1(volume, at)) return name
  return (await isVersion090(volume, partitions)) ? 'linux raid 0.90' : null
}

/** It says at which sector of its device it lies: in a disk's last partition at another one than on the disk. */
async function isVersion1(volume: BlockVolume, at: number): Promise<boolean> {
  if (at < 0 || at + 256 > volume.sizeBytes) return false
  const superblock = await readableOrNull(volume.read(at, 256))
  return (
    superblock !== null &&
    superblock.readUInt32LE(0) === magic &&
    superblock.readUInt32LE(4) === 1 &&
    superblock.readBigUInt64LE(144) === BigInt(at / 512)
  )
}

/** It was written in the byte order of the computer, and says how much of its device the array uses. */
async function isVersion090(volume: BlockVolume, partitions: readonly Span[]): Promise<boolean> {
  const at = placeOf090(volume.sizeBytes)
  if (at < 0) return false
  const superblock = await readableOrNull(volume.read(at, 64))
  if (superblock === null) return false
  const isLittle = superblock.readUInt32LE(0) === magic
  if (!isLittle && superblock.readUInt32BE(0) !== magic) return false
  const usedBytes = (isLittle ? superblock.readUInt32LE(32) : superblock.readUInt32BE(32)) * 1024
  // More than lies before it: left over from another device.
  if (usedBytes > at) return false
  // A stripe's may say 0, which fits the disk as well as a partition.
  if (usedBytes === 0) return true
  return !partitions.some(
    ({ offset, sizeBytes }) => offset + placeOf090(sizeBytes) === at && offset + usedBytes <= at,
  )
}

const placeOf090 = (sizeBytes: number) =>
  Math.floor(sizeBytes / reservedBytes) * reservedBytes - reservedBytes
