export { convertImage } from './convert-image.ts'
export { diskItems, type DiskItem } from './disk-stream.ts'
export {
  checkLevel,
  openImageTarget,
  type DiskToWrite,
  type ImageTarget,
  type ImageTargetRequest,
} from './write-image.ts'
