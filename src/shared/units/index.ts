export * from './bytes.ts'
export * from './duration.ts'
