/**
 * The socket that a stream's datagrams come to: bound to the group, a member of it on one interface, with as large a buffer as
 * the system grants. A small buffer is the commonest reason for loss, so what was granted is read back.
 */
import { createSocket, type Socket } from 'node:dgram'
import {
  findOwnSocket,
  forceReceiveBuffer,
  joinArrivals,
  readDrops,
  setSocketOptions,
} from '#engine/multicast/network'
import { splitDatagrams } from '#engine/multicast/wire'
import { NetworkError } from '#shared/errors'
import { createGathering } from './gather.ts'

export interface GroupOptions {
  readonly group: string
  readonly port: number
  /** IPv4 of the interface; null: it has none, and nothing will come. */
  readonly interface: string | null
  /** The same as it is by now: it may have got another address, or one at all. May throw NetworkError E_MC_IFACE. */
  readonly interfaceNow: () => string | null
  /** Of the stream, in bytes a second: how large a buffer should be. */
  readonly dataRate: number
  /** Of its symbols. */
  readonly symbolBytes: number
  readonly onDatagram: (bytes: Uint8Array) => void
  readonly onError: (error: Error) => void
}

export interface GroupSocket {
  /** In bytes as the system counts them. */
  readonly askedBytes: number
  readonly grantedBytes: number
  /** What allows larger buffers on this system; null: it granted what was asked for. */
  readonly advice: string | null
  /** Ask for the group anew: a switch may have forgotten us, or the interface have another address. */
  rejoin(): void
  /** So many datagrams were thrown away since it was opened. Null where the system doesn't say. */
  readDropped(): Promise<number | null>
  close(): Promise<void>
}

const [leastBuffer, mostBuffer] = [4 * 1024 * 1024, 32 * 1024 * 1024]

/** Rejects with NetworkError E_MC_IFACE, E_NET. */
export async function openReceivingSocket(options: GroupOptions): Promise<GroupSocket> {
  const { group, port, onDatagram, onError } = options
  const before = await readDrops(group, port)
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const askedBytes = Math.min(mostBuffer, Math.max(leastBuffer, Math.ceil(options.dataRate / 4)))
  let inode: number | null
  try {
    // Where a socket can be bound to a group, nothing that is sent to other groups at this port comes.
    await bind(socket, { address: process.platform === 'win32' ? '0.0.0.0' : group, port })
    enlargeBuffer(socket, askedBytes)
    const own = await findOwnSocket(group, port, before)
    inode = own?.inode ?? null
    if (own !== null) await setSocketOptions(own.descriptor, [joinArrivals, forceReceiveBuffer(askedBytes)])
    join(socket, options)
  } catch (error) {
    socket.close()
    throw error
  }
  const grantedBytes = bufferOf(socket)
  const came = createGathering({ bufferBytes: grantedBytes, dataRate: options.dataRate })
  socket.on('message', (bytes) => {
    splitDatagrams(bytes, options.symbolBytes, onDatagram)
    came(bytes.length)
  })
  socket.on('error', onError)
  let isClosed = false
  let joined = options.interface

  return {
    askedBytes,
    grantedBytes,
    advice: grantedBytes < askedBytes ? adviceFor(askedBytes) : null,
    rejoin() {
      try {
        if (joined !== null) socket.dropMembership(group, joined)
      } catch {
        // The interface went away and came back: there is none to drop.
      }
      try {
        joined = options.interfaceNow()
        if (joined !== null) socket.addMembership(group, joined)
      } catch (error) {
        onError(error as Error)
      }
    },
    async readDropped() {
      return inode === null ? null : ((await readDrops(group, port))?.get(inode) ?? null)
    },
    async close() {
      if (isClosed) return
      isClosed = true
      socket.removeAllListeners('message')
      await new Promise<void>((resolve) => socket.close(resolve))
    },
  }
}

async function bind(
  socket: Socket,
  where: { readonly address: string; readonly port: number },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) =>
      reject(
        new NetworkError('E_NET', `binding to ${where.address}:${where.port}: ${error.message}`, {
          details: {
            address: `${where.address}:${where.port}`,
            phase: 'multicast',
            errno: error.code ?? '',
          },
          cause: error,
        }),
      )
    socket.once('error', fail)
    socket.bind({ ...where, exclusive: true }, () => {
      socket.off('error', fail)
      resolve()
    })
  })
}

function join(socket: Socket, options: GroupOptions): void {
  if (options.interface === null) return
  try {
    socket.addMembership(options.group, options.interface)
  } catch (error) {
    throw new NetworkError('E_MC_IFACE', `joining ${options.group}: ${String(error)}`, {
      details: {
        address: options.group,
        phase: 'multicast',
        interface: options.interface,
        reason: 'down',
        errno: (error as NodeJS.ErrnoException).code ?? '',
      },
      cause: error,
    })
  }
}

/** As large as it is granted: Linux cuts silently, others refuse what is too much. */
function enlargeBuffer(socket: Socket, askedBytes: number): void {
  for (let bytes = askedBytes; bytes >= 128 * 1024; bytes /= 2)
    try {
      socket.setRecvBufferSize(Math.floor(bytes))
      return
    } catch {
      // Less, then.
    }
}

/** Linux doubles the number, for what it needs of the buffer itself. */
function bufferOf(socket: Socket): number {
  const bytes = socket.getRecvBufferSize()
  return process.platform === 'linux' ? Math.floor(bytes / 2) : bytes
}

function adviceFor(askedBytes: number): string | null {
  if (process.platform === 'linux') return `sysctl -w net.core.rmem_max=${askedBytes}`
  if (process.platform === 'darwin') return `sysctl -w kern.ipc.maxsockbuf=${askedBytes * 2}`
  return null
}
