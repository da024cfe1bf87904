export { verifyImage } from './verify-image.ts'
