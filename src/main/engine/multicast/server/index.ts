export { checkSource } from './check-source.ts'
export { makeImageFolder } from './image-folder.ts'
export { createStreamServer, type StreamServer, type StreamServerOptions } from './stream-server.ts'
export { examineImage, type PreparedSource, type ServedSource } from './served-source.ts'
