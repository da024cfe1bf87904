export { createDarwinPlatform } from './darwin-platform.ts'
