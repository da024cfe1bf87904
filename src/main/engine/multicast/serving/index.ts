export { serveSessions } from './serve-sessions.ts'
