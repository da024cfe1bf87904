export { convertImage } from './convert-image.ts'
export { diskItems } from './disk-stream.ts'
export { checkLevel, openImageTarget, type DiskToWrite, type ImageTarget } from './write-image.ts'
