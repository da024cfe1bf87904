export { convertImage } from './convert-image.ts'
export { diskItems, thenCheck } from './disk-stream.ts'
export { checkLevel, openImageTarget, type DiskToWrite, type ImageTarget } from './write-image.ts'
