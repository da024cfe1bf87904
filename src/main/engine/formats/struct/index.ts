export * from './format-error.ts'
export * from './read-disk.ts'
export * from './struct.ts'
