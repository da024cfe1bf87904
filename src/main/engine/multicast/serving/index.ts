export { serveSessions, type ServeOptions } from './serve-sessions.ts'
