export { decodeRun } from './decode-run.ts'
export { openStreamDecoder } from './stream-decoder.ts'
