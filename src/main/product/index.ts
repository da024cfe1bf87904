export * from './data-folder.ts'
export * from './product-files.ts'
export * from './product-version.ts'
