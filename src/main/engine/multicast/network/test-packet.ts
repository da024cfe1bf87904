/** A packet sent to the stream's group, as the stream will be, that must come back to a socket of this machine. */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { NetworkError } from '#shared/errors'

export interface TestPacketPlan {
  readonly group: string
  readonly port: number
  readonly ttl: number
  /** The interface's IPv4 address, and its name for messages. */
  readonly address: string
  readonly interfaceName: string
}

/** Sent so often, so far apart: a first one may be lost to a switch that has just learned of the group. */
const attempts = 4
const apartMs = 150
const lastMs = 700
/** What receivers of a stream take for none of theirs. */
const mark = 'reprise multicast test '

/** Throws NetworkError E_MC_LOOP when none came back, E_MC_IFACE when the system doesn't let us send; the signal's reason. */
export async function sendTestPacket(plan: TestPacketPlan, signal?: AbortSignal): Promise<void> {
  const { group, port, ttl, address, interfaceName } = plan
  const packet = Buffer.concat([Buffer.from(mark), randomBytes(16)])
  const details = { address: group, phase: 'test', port, interface: interfaceName }
  using sockets = new DisposableStack()
  const open = (reuseAddr: boolean): Socket => sockets.adopt(createSocket({ type: 'udp4', reuseAddr }), close)
  const came = Promise.withResolvers<true>()
  try {
    const receiver = open(true)
    receiver.on('message', (message) => {
      if (message.equals(packet)) came.resolve(true)
    })
    // Elsewhere than on Windows a group's address can be bound, and keeps other streams out.
    await bound(receiver, { port, address: process.platform === 'win32' ? '0.0.0.0' : group })
    receiver.addMembership(group, address)
    const sender = open(false)
    await bound(sender, { port: 0, address })
    sender.setMulticastInterface(address)
    sender.setMulticastTTL(ttl)
    sender.setMulticastLoopback(true)
    for (let attempt = 1; attempt <= attempts; attempt++) {
      signal?.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        sender.send(packet, port, group, (error) => (error === null ? resolve() : reject(error)))
      })
      if (await Promise.race([came.promise, after(attempt === attempts ? lastMs : apartMs)])) return
    }
  } catch (error) {
    if (signal?.aborted === true && error === signal.reason) throw error
    const errno = error instanceof Error && 'code' in error ? String(error.code) : ''
    const message = error instanceof Error ? error.message : String(error)
    throw new NetworkError('E_MC_LOOP', message, { details: { ...details, errno }, cause: error })
  }
  throw new NetworkError('E_MC_LOOP', 'no test packet came back', { details })
}

const close = (socket: Socket) => void socket.close()

async function bound(
  socket: Socket,
  where: { readonly port: number; readonly address: string },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(where, resolve)
  })
  socket.removeAllListeners('error')
  socket.on('error', () => undefined)
}

const after = (delayMs: number) => new Promise<false>((resolve) => setTimeout(resolve, delayMs, false))
