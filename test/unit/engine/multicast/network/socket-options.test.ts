/** Real sockets on loopback: what Linux does of what is set through perl. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import {
  cutSends,
  findOwnSocket,
  forceReceiveBuffer,
  joinArrivals,
  setSocketOptions,
} from '#engine/multicast/network'
import { missing } from '#test/needs'

async function openSocket() {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  return { socket, port, [Symbol.dispose]: () => void socket.close() }
}

const set = async (socket: Socket, ...options: Parameters<typeof setSocketOptions>[1]) => {
  const { address, port } = socket.address()
  const own = await findOwnSocket(address, port)
  if (own === null) throw new Error('a socket of ours that is not found')
  return await setSocketOptions(own.descriptor, options)
}

/** Lengths of what arrives when this is sent in one piece. */
async function arrivals(from: Socket, to: Awaited<ReturnType<typeof openSocket>>, bytes: Uint8Array) {
  const lengths: number[] = []
  to.socket.on('message', (message) => lengths.push(message.length))
  from.send(bytes, to.port, '127.0.0.1')
  for (let tries = 0; tries < 100 && lengths.reduce((sum, length) => sum + length, 0) < bytes.length; tries++)
    await sleep(20)
  return lengths
}

describe.skipIf(missing('linux', 'program:perl'))('options that Node has no call for', () => {
  test('cut what is sent, and join what comes', async () => {
    using sender = await openSocket()
    using receiver = await openSocket()
    expect(await set(sender.socket, cutSends(100))).toEqual([true])
    expect(await arrivals(sender.socket, receiver, Buffer.alloc(450))).toEqual([100, 100, 100, 100, 50])
    using joining = await openSocket()
    expect(await set(joining.socket, joinArrivals)).toEqual([true])
    expect(await arrivals(sender.socket, joining, Buffer.alloc(450))).toEqual([450])
  })

  test('are told apart: those that the system took, and those it did not', async () => {
    using socket = await openSocket()
    const unknown = { level: 17, name: 9999, value: 1 }
    expect(await set(socket.socket, unknown, joinArrivals, cutSends(-1))).toEqual([false, true, false])
  })

  test('leave the socket as it is when there is no such descriptor', async () => {
    expect(await setSocketOptions(2 ** 20, [joinArrivals])).toEqual([false])
  })
})

describe.skipIf(missing('linux', 'root', 'program:perl'))('a receive buffer', () => {
  test('is as large as it was asked for, whatever the system allows others', async () => {
    using receiver = await openSocket()
    const bytes = 64 * 2 ** 20
    expect(await set(receiver.socket, forceReceiveBuffer(bytes))).toEqual([true])
    expect(receiver.socket.getRecvBufferSize()).toBe(2 * bytes)
  })
})
