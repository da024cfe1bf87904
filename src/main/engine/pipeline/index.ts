export * from './block-stream.ts'
export { openBlockStream, type BlockStreamOptions } from './open-block-stream.ts'
export { defaultPool, type PoolOptions } from './pool-plan.ts'
