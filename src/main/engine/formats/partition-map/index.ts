export { readPartitionMap } from './read-partition-map.ts'
