export { addChecksums } from './add-checksums.ts'
export { scanImage } from './scan-image.ts'
export { verifyImage } from './verify-image.ts'
