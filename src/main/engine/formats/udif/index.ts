export {
  blockBytesFor,
  digestBytes,
  encodeBlockHashes,
  rootOfBlocks,
  type BlockHashes,
} from './block-hashes.ts'
export { openEditableList, type ListEdit, type TablePatch } from './edit-list.ts'
export { scanResources, scanTypes, type PartitionScan, type ScanToStore } from './encode-scan.ts'
export { isKoly, kolyBytes, kolyStruct, parseKoly, type Koly } from './koly.ts'
export { chunkRunStruct, commentRun, mishStruct, runTypes, terminatorRun, type Mish } from './mish.ts'
export { planTables, type PlannedTable } from './plan-tables.ts'
export { readBlockHashesFrom } from './read-block-hashes.ts'
export { replaceTail, type TailFile } from './replace-tail.ts'
export { readUdif, type UdifImage } from './read-udif.ts'
export { parseScanInfo } from './scan-info.ts'
export { isSegmentName, segmentPath } from './segments.ts'
export { parseSmallPlist, type PassedOver, type PlistDict } from './small-plist.ts'
export { UdifWriter, type UdifTarget } from './write-udif.ts'
export { orderedBytes, writeReordered } from './write-reordered.ts'
