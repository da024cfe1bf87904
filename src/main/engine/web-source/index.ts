export type { FetchWatch } from './fetch-watch.ts'
export { openWebSource } from './open-web-source.ts'
export type { StreamOptions, TakeBytes, WebSource } from './web-source.ts'
export { sharedWebSession, WebSession, type WebSessionOptions } from './web-session.ts'
