export { decodeRun } from './decode-run.ts'
