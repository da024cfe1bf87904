export * from './line-transport.ts'
