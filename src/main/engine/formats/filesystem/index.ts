export { sniffFilesystem } from './sniff-filesystem.ts'
export type { FoundFilesystem } from './volume.ts'
