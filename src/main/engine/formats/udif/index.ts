export {
  blockBytesFor,
  digestBytes,
  encodeBlockHashes,
  rootOfBlocks,
  type BlockHashes,
} from './block-hashes.ts'
export { isKoly, kolyBytes, kolyStruct, parseKoly, type Koly } from './koly.ts'
export { chunkRunStruct, commentRun, mishStruct, runTypes, terminatorRun, type Mish } from './mish.ts'
export { planTables, type PlannedTable } from './plan-tables.ts'
export { readBlockHashesFrom } from './read-block-hashes.ts'
export { readUdif, type UdifImage } from './read-udif.ts'
export { segmentPath } from './segments.ts'
export { parseSmallPlist, type PlistDict } from './small-plist.ts'
export { UdifWriter } from './write-udif.ts'
