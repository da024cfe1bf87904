/** Apple partition map (Inside Macintosh: Devices, "SCSI Manager"): a descriptor in block 0, one entry a block from 1. */
import { defineStruct, readOrNull, type ReadDisk } from '#engine/formats/struct'
import type { PartitionEntry } from './map.ts'

export const ddmStruct = defineStruct({
  format: 'apm',
  name: 'ddm',
  endian: 'big',
  fields: [
    ['sbSig', 2, 'ascii'], // 'ER'
    ['sbBlkSize', 2, 'uint'],
    ['sbBlkCount', 4, 'uint'],
  ],
})

export const apmEntryStruct = defineStruct({
  format: 'apm',
  name: 'entry',
  endian: 'big',
  fields: [
    ['pmSig', 2, 'ascii'], // 'PM'
    ['pmSigPad', 2, 'reserved'],
    ['pmMapBlkCnt', 4, 'uint'], // entries in the map, the same in each
    ['pmPyPartStart', 4, 'uint'],
    ['pmPartBlkCnt', 4, 'uint'],
    ['pmPartName', 32, 'ascii'],
    ['pmParType', 32, 'ascii'],
  ],
})

/** The map of a CD-ROM image is in blocks of 2048, that of a disk in blocks of 512. */
const blockSizes = [512, 1024, 2048, 4096]
/** Maps have 63 blocks at most where Apple's tools make them. */
const maxEntries = 256
/** The map lists itself and what is free; neither is a partition to anyone. */
const notShown = new Set(['Apple_partition_map', 'Apple_Free', 'Apple_Void'])

/** The partitions, or null when the disk has no Apple partition map. */
export async function readApm(readDisk: ReadDisk, sizeBytes: number): Promise<PartitionEntry[] | null> {
  return await readOrNull(readMap(readDisk, sizeBytes))
}

async function readMap(readDisk: ReadDisk, sizeBytes: number): Promise<PartitionEntry[] | null> {
  const ddm = sizeBytes < 512 ? null : ddmStruct.parse(await readDisk(0, ddmStruct.sizeBytes), 0)
  if (ddm === null || ddm.sbSig !== 'ER') return null
  // Hybrid discs have entries at 512 although their blocks have 2048 bytes.
  for (const blockBytes of new Set([ddm.sbBlkSize, 512])) {
    const partitions = blockSizes.includes(blockBytes)
      ? await readEntries(readDisk, sizeBytes, blockBytes)
      : null
    if (partitions !== null) return partitions
  }
  return null
}

async function readEntries(
  readDisk: ReadDisk,
  sizeBytes: number,
  blockBytes: number,
): Promise<PartitionEntry[] | null> {
  const partitions: PartitionEntry[] = []
  let count = 1
  for (let index = 1; index <= count; index++) {
    const at = index * blockBytes
    if (at + apmEntryStruct.sizeBytes > sizeBytes) return null
    const entry = apmEntryStruct.parse(await readDisk(at, apmEntryStruct.sizeBytes), at)
    if (entry.pmSig !== 'PM' || entry.pmMapBlkCnt < 1 || entry.pmMapBlkCnt > maxEntries) return null
    count = entry.pmMapBlkCnt
    if (notShown.has(entry.pmParType) || entry.pmPartBlkCnt === 0) continue
    partitions.push({
      index,
      name: entry.pmPartName === '' ? null : entry.pmPartName,
      type: entry.pmParType,
      offset: entry.pmPyPartStart * blockBytes,
      sizeBytes: entry.pmPartBlkCnt * blockBytes,
    })
  }
  return partitions
}
