export {
  encodeNewMap,
  largestMbrBytes,
  smallestMapBytes,
  type NewMap,
  type NewPartition,
} from './encode-map.ts'
export { isHeldElsewhere } from './held-elsewhere.ts'
export { readMapToResize, type MapToResize, type MapWrite } from './map-to-resize.ts'
export { readPartitionMap } from './read-partition-map.ts'
