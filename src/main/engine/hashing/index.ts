export { createBlockHasher } from './block-hasher.ts'
export { createInlineLane, createThreadLane, type HashLane } from './hash-lane.ts'
export type { Digest, HashStep } from './hash-order.ts'
