export * from './block-sink.ts'
export * from './block-source.ts'
export * from './file-source.ts'
export * from './system-failure.ts'
