export * from './disk.ts'
export * from './image.ts'
export * from './job.ts'
export * from './restore.ts'
