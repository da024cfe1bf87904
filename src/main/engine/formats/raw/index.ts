export { rawLayout } from './raw-layout.ts'
export { sniffStreamCodec } from './stream-codec.ts'
