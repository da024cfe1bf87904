export * from './interfaces.ts'
export * from './group-address.ts'
