/** The structs of a sparse image file: where its bands are. Byte tables: docs/formats/sparse.md §1. */
import { defineStruct } from '#engine/formats/struct'

/** A header and each index node after it, with their band numbers. */
export const nodeBytes = 4096
export const signature = 'sprs'

export const headerStruct = defineStruct({
  format: 'sprs',
  name: 'header',
  endian: 'big',
  fields: [
    ['signature', 4, 'ascii'], // 'sprs'
    ['version', 4, 'uint'], // 3
    ['sectorsPerBand', 4, 'uint'], // 2048
    ['flags', 4, 'uint'], // 1
    ['totalSectorsLow', 4, 'uint'], // the low half of totalSectors
    ['nextNodeOffset', 8, 'uint'], // 0: this is the only one
    ['totalSectors', 8, 'uint'],
    ['reserved', 28, 'reserved'],
  ],
})

export const indexNodeStruct = defineStruct({
  format: 'sprs',
  name: 'indexNode',
  endian: 'big',
  fields: [
    ['signature', 4, 'ascii'], // 'sprs'
    ['nodeNumber', 4, 'uint'], // of the index nodes, from 0
    ['flags', 4, 'uint'], // 1
    ['nextNodeOffset', 8, 'uint'], // 0: the last
    ['reserved', 36, 'reserved'],
  ],
})

/** Band numbers fill the rest of a node, four bytes each. The data of its slots follows it. */
export const headerSlots = (nodeBytes - headerStruct.sizeBytes) / 4
export const indexNodeSlots = (nodeBytes - indexNodeStruct.sizeBytes) / 4

/** Whether a file that begins so claims to be a sparse image. */
export function isSprs(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(0, 4)).toString('latin1') === signature
}
