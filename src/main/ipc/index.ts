export * from './bind-ipc.ts'
export * from './electron-shell.ts'
