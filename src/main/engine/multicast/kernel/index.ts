export * from './load-kernel.ts'
