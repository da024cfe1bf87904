export { decodeRun } from './decode-run.ts'
export { encodeRun, type CompressedKind } from './encode-run.ts'
export { openStreamDecoder } from './stream-decoder.ts'
