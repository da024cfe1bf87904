export * from './block-sink.ts'
export * from './block-source.ts'
