export { convertImage } from './convert-image.ts'
