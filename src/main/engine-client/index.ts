export * from './engine.ts'
export * from './system-engine.ts'
