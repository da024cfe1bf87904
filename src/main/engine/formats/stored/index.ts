export { askServers } from './ask-servers.ts'
export * from './open-stored.ts'
