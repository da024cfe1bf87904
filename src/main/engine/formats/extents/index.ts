export * from './extent-table.ts'
export * from './image-layout.ts'
