export * from './engine.ts'
export * from './engine-command.ts'
export * from './host-process.ts'
