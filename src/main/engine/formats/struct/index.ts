export * from './format-error.ts'
export * from './struct.ts'
