export * from './engines.ts'
export * from './main.ts'
export * from './terminal.ts'
export * from './verb.ts'
