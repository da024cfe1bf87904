export { createLinuxPlatform } from './linux-platform.ts'
