export * from './platform.ts'
export * from './create-platform.ts'
