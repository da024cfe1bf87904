export * from './not-comparable.ts'
export type * from './stream-connection.ts'
