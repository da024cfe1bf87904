export { compactImage } from './compact-image.ts'
export { resizeImage } from './resize-image.ts'
