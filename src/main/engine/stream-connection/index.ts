export { connectAgain, isPassing } from './connect-again.ts'
export * from './not-comparable.ts'
export * from './receive-pool.ts'
export type * from './stream-connection.ts'
