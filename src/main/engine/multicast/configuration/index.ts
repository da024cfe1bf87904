export {
  encodeConfiguration,
  parseConfiguration,
  readConfiguration,
  writeConfiguration,
} from './configuration-file.ts'
export type { Beside, ReadConfiguration } from './configuration-keys.ts'
