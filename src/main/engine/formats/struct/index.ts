export * from './format-error.ts'
export * from './or-null.ts'
export * from './read-disk.ts'
export * from './struct.ts'
