export type * from './stream-connection.ts'
