/** Whether a stream's port can be had: TCP for the control connections, UDP for its group is shared. */
import { createServer } from 'node:net'
import { errnoName, NetworkError } from '#shared/errors'
import { portHolder } from './port-holder.ts'

/** Throws NetworkError E_MC_PORT. */
export async function checkPort(port: number): Promise<void> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, host: '::', exclusive: true }, resolve)
    }).catch(async (error: unknown) => {
      // A system without IPv6.
      if (errnoName(error) !== 'EAFNOSUPPORT' && errnoName(error) !== 'EADDRNOTAVAIL') throw error
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ port, host: '0.0.0.0', exclusive: true }, resolve)
      })
    })
  } catch (error) {
    throw await portTaken(port, error)
  } finally {
    server.close()
  }
}

/** What to throw when a port couldn't be listened on; names who has it where the system tells. */
export async function portTaken(port: number, cause: unknown): Promise<NetworkError> {
  const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const holder = errno === 'EADDRINUSE' ? await portHolder(port) : null
  return new NetworkError('E_MC_PORT', `port ${port}: ${errno}`, {
    details: { address: '', phase: 'listen', port, errno, ...(holder === null ? {} : { holder }) },
    cause,
  })
}
