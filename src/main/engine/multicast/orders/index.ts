export * from './open-bytes.ts'
export * from './orders.ts'
