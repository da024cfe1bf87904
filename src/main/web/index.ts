export * from './run-web.ts'
export * from './web-server.ts'
