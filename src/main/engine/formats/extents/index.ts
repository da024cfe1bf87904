export * from './block-cipher.ts'
export * from './extent-table.ts'
export * from './image-layout.ts'
export * from './unchanged-files.ts'
