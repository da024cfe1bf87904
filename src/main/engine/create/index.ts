export { createImage } from './create-image.ts'
