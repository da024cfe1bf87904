import { createSocket } from 'node:dgram'
import { expect, onTestFinished, test } from 'vitest'
import { openReceivingSocket } from '#src/main/engine/multicast/client/group-socket.ts'

const group = '239.255.77.92'
const port = 47_892
const symbolBytes = 1024

/** Says something to the group until it is told to stop. */
async function openSender(): Promise<void> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  socket.setMulticastInterface('127.0.0.1')
  const timer = setInterval(() => socket.send(new Uint8Array(100), port, group), 10)
  onTestFinished(async () => {
    clearInterval(timer)
    await new Promise<void>((resolve) => socket.close(resolve))
  })
}

test('a group is joined anew where its interface is by then', async () => {
  let address: string | null = null
  let came = 0
  const errors: unknown[] = []
  const socket = await openReceivingSocket({
    group,
    port,
    interface: null,
    interfaceNow: () => {
      if (address === null) throw new Error('no address')
      return address
    },
    dataRate: 1e6,
    symbolBytes,
    onDatagram: () => void (came += 1),
    onError: (error) => void errors.push(error),
  })
  onTestFinished(() => socket.close())
  await openSender()
  socket.rejoin()
  expect(errors).toMatchObject([{ message: 'no address' }])
  // Of another computer.
  address = '192.0.2.77'
  socket.rejoin()
  expect(errors).toHaveLength(2)
  expect(came).toBe(0)
  address = '127.0.0.1'
  socket.rejoin()
  await expect.poll(() => came).toBeGreaterThan(0)
  // There, too, it can be asked for again.
  socket.rejoin()
  expect(errors).toHaveLength(2)
  const before = came
  await expect.poll(() => came).toBeGreaterThan(before + 5)
})
