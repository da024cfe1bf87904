export * from './sender.ts'
export * from './symbol-source.ts'
