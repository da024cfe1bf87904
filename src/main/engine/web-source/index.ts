export { openWebSource, type WebSource } from './web-source.ts'
export { sharedWebSession, WebSession, type WebSessionOptions } from './web-session.ts'
