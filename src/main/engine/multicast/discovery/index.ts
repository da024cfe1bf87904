export * from './advertise.ts'
export { browseStreams, type BrowseOptions } from './browse.ts'
export type { Advertisement } from './stream-records.ts'
