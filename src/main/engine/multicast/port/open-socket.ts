/** The socket that a stream is sent from: connected to its group, on one interface. */
import { createSocket, type Socket } from 'node:dgram'
import {
  cutSends,
  findInterface,
  findOwnSocket,
  listInterfaces,
  setSocketOptions,
} from '#engine/multicast/network'
import { NetworkError } from '#shared/errors'
import type { NetworkInterface } from '#shared/model'

export interface GroupAddress {
  readonly group: string
  readonly port: number
  readonly ttl: number
  /** The interface's IPv4 address. */
  readonly address: string
  /** Of the longest datagram. */
  readonly datagramBytes: number
}

export interface StreamSocket {
  readonly socket: Socket
  /** It sends from there. */
  readonly address: string
  /** The system cuts what is sent into datagrams of that length. */
  readonly isCut: boolean
}

/** Throws NetworkError E_MC_IFACE when the system doesn't let us send there. */
export async function openSendingSocket({
  group,
  port,
  ttl,
  address,
  datagramBytes,
}: GroupAddress): Promise<StreamSocket> {
  const socket = createSocket({ type: 'udp4' })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ address, port: 0, exclusive: true }, () => {
        try {
          socket.setMulticastInterface(address)
          socket.setMulticastTTL(ttl)
          // Clients may be on this machine.
          socket.setMulticastLoopback(true)
        } catch (error) {
          reject(error)
          return
        }
        // It hands a failure to whom Node's types promise none.
        socket.connect(port, group, (failed?: Error | null) => (failed ? reject(failed) : resolve()))
      })
    })
  } catch (error) {
    socket.close()
    const errno = error instanceof Error && 'code' in error ? String(error.code) : ''
    const message = error instanceof Error ? error.message : String(error)
    throw new NetworkError('E_MC_IFACE', message, {
      details: { address: group, phase: 'open', errno, interface: address, reason: 'down' },
      cause: error,
    })
  }
  socket.removeAllListeners('error')
  // Errors of sending are told to who sends; an unreachable port of a group means nothing.
  socket.on('error', () => undefined)
  return { socket, address, isCut: await cut(socket, datagramBytes) }
}

/**
 * The address that an interface has by now: its own, if it still has that, too. Throws NetworkError E_MC_IFACE as `findInterface`
 * does.
 */
export async function addressNow({
  name,
  address,
}: Pick<NetworkInterface, 'name' | 'address'>): Promise<string> {
  const all = await listInterfaces()
  const isThere = all.some((each) => each.name === name && each.address === address)
  return isThere ? address : (await findInterface(name)).address
}

async function cut(socket: Socket, datagramBytes: number): Promise<boolean> {
  const { address, port } = socket.address()
  const own = await findOwnSocket(address, port)
  if (own === null) return false
  const [isCut = false] = await setSocketOptions(own.descriptor, [cutSends(datagramBytes)])
  return isCut
}
