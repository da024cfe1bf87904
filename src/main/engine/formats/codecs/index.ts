export { decodeRun } from './decode-run.ts'
export { encodeRun } from './encode-run.ts'
export { openStreamDecoder } from './stream-decoder.ts'
