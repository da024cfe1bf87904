export { maxSymbols } from './cauchy.ts'
export * from './erasure-code.ts'
