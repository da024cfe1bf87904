export { dialControl, type ControlSocket } from './control-socket.ts'
export { listSessions, type Offer, type OfferedSession } from './list-sessions.ts'
export { connectStream, type StreamConnection } from './stream-connection.ts'
export type { ReceiveOptions, StreamReception } from './stream-reception.ts'
