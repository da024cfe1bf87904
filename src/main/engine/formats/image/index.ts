export { DiskReader } from './disk-reader.ts'
export { openImage, type OpenImage } from './open-image.ts'
export { readBlockHashes } from './read-block-hashes.ts'
export { isImageLocked, unlockImage } from './unlock-image.ts'
