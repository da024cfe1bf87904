/** How small a disk may become: what its map or its file system takes up, and anything that isn't zeros, stays. */
import { readOccupant } from '#engine/formats/filesystem'
import { readMapToResize, type MapToResize } from '#engine/formats/partition-map'
import { corrupt } from '#engine/formats/struct'
import { sectorBytes } from '#shared/units'
import type { ResizableDisk } from './resizable-disk.ts'

const pieceBytes = 1024 * 1024
/** Superblocks lie no further in than 64 KiB, and the next 4 KiB. */
const marksBytes = 68 * 1024
const zeros = Buffer.alloc(pieceBytes)

/**
 * What a smaller size would cut: something that ends there, what would if an MBR counts the larger sectors, or what belongs to
 * something unknown, which may need all of the disk.
 */
export type LimitReason = 'ends-there' | 'sectors-unknown' | 'content-unknown'

export interface SizeLimits {
  readonly map: MapToResize | null
  /** Of the disk, in whole sectors. Right when it is above what was asked for; otherwise not more than that. */
  readonly smallestBytes: number
  readonly why: LimitReason
}

/**
 * For a disk that is to have `wantedBytes`. A disk without a map loses nothing but zeros, and only when it is blank at its
 * beginning or has a known file system, of the size that says: zeros are part of a volume, too. Throws FormatError E_SRC_CORRUPT
 * for a map that can't be changed without guessing; DeviceError; the signal's reason.
 */
export async function readSizeLimits(
  disk: ResizableDisk,
  wantedBytes: number,
  signal: AbortSignal,
): Promise<SizeLimits> {
  const { sizeBytes } = disk
  const map = await readMapToResize(disk.read, sizeBytes)
  if (map === 'damaged') {
    const expected = 'a sound one at the beginning of the disk'
    throw corrupt({ format: 'disk', field: 'partition map', offset: sectorBytes, expected })
  }
  const { filesystem: whole, otherOwner } = await readOccupant(disk.read, { offset: 0, sizeBytes })
  if (map !== null) {
    // A hybrid disc is a file system as a whole, too.
    const disc = whole?.filesystem === 'iso9660' ? (whole.sizeBytes ?? sizeBytes) : 0
    const floor = Math.max(map.smallestBytes, disc)
    // Other maps have their own end there. An MBR says little of its disk: what isn't zeros behind it is somebody's.
    const data = map.kind === 'mbr' ? await lastData(disk, Math.max(wantedBytes, floor), signal) : 0
    const smallestBytes = Math.ceil(Math.max(floor, data) / map.sectorBytes) * map.sectorBytes
    return { map, smallestBytes, why: map.isGuess && floor >= data ? 'sectors-unknown' : 'ends-there' }
  }
  if (otherOwner !== null || (whole === null && !(await isBlank(disk))))
    return { map, smallestBytes: sizeBytes, why: 'content-unknown' }
  const floor = whole === null ? sectorBytes : (whole.sizeBytes ?? sizeBytes)
  const data = await lastData(disk, Math.max(wantedBytes, floor), signal)
  return { map, smallestBytes: Math.max(floor, data), why: 'ends-there' }
}

/** Whether nothing marks the disk as its own: encryption, volume managers and file systems do near the beginning. */
async function isBlank(disk: ResizableDisk): Promise<boolean> {
  const head = await disk.read(0, Math.min(disk.sizeBytes, marksBytes))
  return zeros.compare(head, 0, head.length, 0, head.length) === 0
}

/** Where the last sector ends that isn't zeros, looking no further down than `from`; 0 when there is none. */
async function lastData(disk: ResizableDisk, from: number, signal: AbortSignal): Promise<number> {
  for (let end = Math.min(disk.sizeBytes, await disk.dataEnd()); end > from;) {
    signal.throwIfAborted()
    const start = Math.max(from, Math.floor((end - 1) / pieceBytes) * pieceBytes)
    const piece = await disk.read(start, end - start)
    if (zeros.compare(piece, 0, piece.length, 0, piece.length) !== 0) {
      let last = piece.length
      while (piece[last - 1] === 0) last--
      return Math.ceil((start + last) / sectorBytes) * sectorBytes
    }
    end = start
  }
  return 0
}
