export * from './engine-deps.ts'
export * from './run-engine-host.ts'
export * from './serve-engine.ts'
