export * from './app-error.ts'
export * from './codes.ts'
export * from './serialized.ts'
