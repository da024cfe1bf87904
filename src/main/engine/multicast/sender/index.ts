export type { ClientState } from './client-table.ts'
export * from './sender.ts'
export * from './symbol-source.ts'
