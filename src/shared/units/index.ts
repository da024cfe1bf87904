export * from './bytes.ts'
export * from './duration.ts'
export * from './file-moment.ts'
export * from './local-time.ts'
