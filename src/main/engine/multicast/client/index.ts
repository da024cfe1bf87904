export { dialControl, type ControlSocket } from './control-socket.ts'
export { listSessions, type Offer, type OfferedSession } from './list-sessions.ts'
export { connectStream } from './stream-connection.ts'
