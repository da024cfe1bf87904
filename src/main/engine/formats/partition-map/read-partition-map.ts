/** Which partition map a disk has, and what it lists. */
import type { ReadDisk } from '#engine/formats/struct'
import { readApm } from './apm.ts'
import { readGpt } from './gpt.ts'
import type { PartitionMap } from './map.ts'
import { readMbr } from './mbr.ts'

/** An image may be of a disk with larger sectors than the 512 bytes nearly all have. */
const usualBlockBytes = 512
const sectorSizes = [usualBlockBytes, 4096]

/**
 * The map of a disk of `sizeBytes`. A GPT counts before an Apple map and that before an MBR, for the former two often
 * come with an MBR that only protects them. A damaged map is no map: kind `none`. Rejects with what the medium throws.
 * `deviceBlockBytes`: of the device it is on, where there is one. An MBR counts in its blocks, and doesn't say so.
 */
export async function readPartitionMap(
  readDisk: ReadDisk,
  sizeBytes: number,
  deviceBlockBytes = usualBlockBytes,
): Promise<PartitionMap> {
  for (const sectorBytes of sectorSizes) {
    const partitions = await readGpt(readDisk, sizeBytes, sectorBytes)
    if (partitions !== null) return { kind: 'gpt', partitions, blockBytes: sectorBytes }
  }
  const apple = await readApm(readDisk, sizeBytes)
  if (apple !== null) return { kind: 'apm', partitions: apple, blockBytes: usualBlockBytes }
  const mbr = await readMbr(readDisk, sizeBytes, deviceBlockBytes)
  return mbr === null
    ? { kind: 'none', partitions: [], blockBytes: usualBlockBytes }
    : { kind: 'mbr', partitions: mbr, blockBytes: deviceBlockBytes }
}
