export { sniffFilesystem } from './sniff-filesystem.ts'
export type { FoundFilesystem } from './volume.ts'
export { readApfsVolumes, type ApfsVolume } from './apfs-volumes.ts'
export { readHfsPlusFacts, type HfsPlusFacts } from './hfs-plus-facts.ts'
