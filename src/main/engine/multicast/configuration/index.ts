export {
  encodeConfiguration,
  parseConfiguration,
  readConfiguration,
  writeConfiguration,
} from './configuration-file.ts'
export type { ReadConfiguration } from './configuration-keys.ts'
