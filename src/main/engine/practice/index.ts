export * from './practice-disk.ts'
export * from './prepare-practice.ts'
