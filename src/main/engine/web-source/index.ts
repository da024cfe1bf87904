export { type Environment } from './proxies.ts'
export { openWebSource, type OpenWebOptions, type TakeBytes, type WebSource } from './web-source.ts'
export { sharedWebSession, WebSession, type WebSessionOptions } from './web-session.ts'
