/** Which partition map a disk has, and what it lists. */
import type { ReadDisk } from '#engine/formats/struct'
import { readApm } from './apm.ts'
import { readGpt } from './gpt.ts'
import type { PartitionMap } from './map.ts'
import { findMbrSectorBytes } from './mbr-sectors.ts'
import { readMbr } from './mbr.ts'

/** An image may be of a disk with larger sectors than the 512 bytes nearly all have. */
const usualBlockBytes = 512
const sectorSizes = [usualBlockBytes, 4096]

/**
 * The map of a disk of `sizeBytes`. A GPT counts before an Apple map and that before an MBR, for the former two often
 * come with an MBR that only protects them. A damaged map is no map: kind `none`. Rejects with what the medium throws.
 * `deviceBlockBytes`: of the device it is on, where there is one. An MBR counts in these unless what is on the disk tells
 * otherwise.
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
  return (
    (await readMbrIn(readDisk, sizeBytes, deviceBlockBytes)) ?? {
      kind: 'none',
      partitions: [],
      blockBytes: usualBlockBytes,
    }
  )
}

/** In the sectors it counts. */
async function readMbrIn(
  readDisk: ReadDisk,
  sizeBytes: number,
  deviceBlockBytes: number,
): Promise<PartitionMap | null> {
  const partitions = await readMbr(readDisk, sizeBytes, deviceBlockBytes)
  if (partitions === null) return null
  const blockBytes = (await findMbrSectorBytes(readDisk, sizeBytes, deviceBlockBytes)) ?? deviceBlockBytes
  if (blockBytes === deviceBlockBytes) return { kind: 'mbr', partitions, blockBytes }
  const others = await readMbr(readDisk, sizeBytes, blockBytes)
  return others === null ? null : { kind: 'mbr', partitions: others, blockBytes }
}
