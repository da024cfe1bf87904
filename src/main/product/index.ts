export * from './data-folder.ts'
export * from './product-files.ts'
export * from './product-version.ts'
export * from './system-name.ts'
