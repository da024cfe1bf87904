export { openImage, type OpenImage, type OpenImageOptions } from './open-image.ts'
