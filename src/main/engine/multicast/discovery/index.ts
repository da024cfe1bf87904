export * from './advertise.ts'
export { browseStreams } from './browse.ts'
export type { Advertisement } from './stream-records.ts'
