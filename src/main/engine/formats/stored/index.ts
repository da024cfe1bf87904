export * from './open-stored.ts'
