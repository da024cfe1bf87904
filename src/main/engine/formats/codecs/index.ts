export { decodeRun } from './decode-run.ts'
export { encodeRun, type CompressedKind } from './encode-run.ts'
export { decodeStream, usualPieceBytes } from './stream-decoder.ts'
