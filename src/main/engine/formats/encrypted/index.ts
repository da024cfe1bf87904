export * from './header.ts'
export { Keyring, processKeyring } from './keyring.ts'
export * from './read-header.ts'
export * from './unlock.ts'
