export { openWebSource, type StreamOptions, type TakeBytes, type WebSource } from './web-source.ts'
export { sharedWebSession, WebSession, type WebSessionOptions } from './web-session.ts'
