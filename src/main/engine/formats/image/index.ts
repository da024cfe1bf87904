export { openImage, type OpenImage } from './open-image.ts'
