export { startThread, type ThreadHandle } from './thread-handle.ts'
