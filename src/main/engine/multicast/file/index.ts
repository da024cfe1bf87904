export { planFile, type FilePlanning, type OpenStream } from './plan-file.ts'
export { receiveFile } from './receive-file.ts'
