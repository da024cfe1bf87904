export * from './stream-layout.ts'
