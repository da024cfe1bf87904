export type { PartitionEntry, PartitionMap } from './map.ts'
export { readPartitionMap } from './read-partition-map.ts'
