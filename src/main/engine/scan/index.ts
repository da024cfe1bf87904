export { addChecksums } from './add-checksums.ts'
export { scanImage, type ScanOptions } from './scan-image.ts'
export { verifyImage } from './verify-image.ts'
