export * from './block-stream.ts'
