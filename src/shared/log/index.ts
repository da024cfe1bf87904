export * from './line-text.ts'
export * from './logger.ts'
