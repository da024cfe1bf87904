/** Clients that vanish and come back, cables that are pulled, a server that is killed. */
import { describe, expect, it } from 'vitest'
import { planStream } from '#engine/multicast/layout'
import { datagramHeaderBytes, networkHeaderBytes } from '#engine/multicast/wire'
import { capturePackets } from '#test/lab-capture'
import type { Captured } from '#test/lab-capture-file'
import { changeAddress, pullAdapter, setCable } from '#test/lab-trouble'
import type { LabProcess } from '#test/lab-process'
import { startReceiving, testedProgram } from '#test/lab-stream'
import { missing } from '#test/needs'
import { expectNothingElse, openRoom, receivedBlocks } from './room.ts'

const [kindAt, sectionAt, symbolKind] = [4, 12, 1]

describe.skipIf(missing('lab', 'program:tcpdump'))('a stream in which things happen', () => {
  it('goes on when a client is killed, and takes one that joins late', async () => {
    await using room = await openRoom({ clients: 3 })
    await room.serve()
    const [stays, dies] = [room.receive(0), room.receive(1)]
    await expect.poll(() => receivedBlocks(room, 1)).toBeGreaterThan(0)
    dies.kill('SIGKILL')
    const late = room.receive(2)
    expect(await room.outcome(0, stays)).toBe('the image')
    expect(await room.outcome(2, late)).toBe('the image')
    await dies.ended
    expectNothingElse(room, 1)
  })

  it('lets a rebooted client go on where it was', async () => {
    await using room = await openRoom({ clients: 1, megabytes: 6 })
    await room.serve()
    const before = room.receive(0)
    await expect.poll(() => receivedBlocks(room, 0)).toBeGreaterThan(3)
    before.kill('SIGKILL')
    await before.ended
    const received = expectNothingElse(room, 0)
    await using capture = await capturePackets(room.lab)
    expect(await room.outcome(0, room.receive(0))).toBe('the image')
    const sent = sentBlocks(await capture.stop(), room.image.bytes.length)
    expect(sent.length).toBeGreaterThan(0)
    // What it knew when it was killed may be a second old.
    expect(Math.min(...sent)).toBeGreaterThanOrEqual(received - 3)
  })

  it('takes a client up again whose cable was out', async () => {
    await using room = await openRoom({ clients: 2 })
    await room.serve()
    const clients = [room.receive(0), room.receive(1)]
    await expect.poll(() => receivedBlocks(room, 1)).toBeGreaterThan(0)
    await setCable(room.lab, room.client(1), 'down')
    expect(await room.outcome(0, clients[0] as LabProcess)).toBe('the image')
    expectNothingElse(room, 1)
    await setCable(room.lab, room.client(1), 'up')
    expect(await room.outcome(1, clients[1] as LabProcess)).toBe('the image')
  })

  it('goes on by multicast when its server’s adapter was out and is back', async () => {
    await using room = await openRoom({ clients: 1, megabytes: 12 })
    await room.serve()
    const client = room.receive(0)
    await expect.poll(() => receivedBlocks(room, 0)).toBeGreaterThan(0)
    const putBack = await pullAdapter(room.lab, room.lab.server)
    await putBack()
    await using capture = await capturePackets(room.lab)
    expect(await room.outcome(0, client)).toBe('the image')
    const { datagrams } = await capture.stop()
    // Symbols, and many of them.
    expect(datagrams.filter(({ bytes }) => bytes > 1000).length).toBeGreaterThan(2000)
  })

  it('goes on by multicast from the address that its server has now', async () => {
    await using room = await openRoom({ clients: 1, megabytes: 12 })
    await room.serve()
    await changeAddress(room.lab.server, '10.77.0.9')
    await using capture = await capturePackets(room.lab)
    const locator = 'asr://10.77.0.9'
    const client = startReceiving(room.client(0), { file: room.fileOf(0), locator })
    expect(await room.outcome(0, client)).toBe('the image')
    const { datagrams } = await capture.stop()
    expect(datagrams.filter(({ bytes }) => bytes > 1000).length).toBeGreaterThan(2000)
    // As its networks are told now.
    const list = () => room.client(0).run([...testedProgram, 'session', 'list', '--discover'])
    await expect.poll(list, { timeout: 30_000 }).toContain('10.77.0.9')
  })

  it('goes on when its server was killed and started again', async () => {
    await using room = await openRoom({ clients: 2 })
    const first = await room.serve()
    const clients = [room.receive(0), room.receive(1)]
    await expect.poll(() => receivedBlocks(room, 0)).toBeGreaterThan(0)
    first.kill('SIGKILL')
    await first.ended
    await room.serve()
    expect(await room.outcomes(clients)).toEqual(clients.map(() => 'the image'))
  })
})

/** The blocks of which symbols were sent, in the order they were. See the format in datagram.ts. */
function sentBlocks({ datagrams }: Captured, sizeBytes: number): readonly number[] {
  const symbols = datagrams.filter(({ payload }) => payload[kindAt] === symbolKind)
  const symbolBytes =
    Math.max(...symbols.map(({ bytes }) => bytes)) - networkHeaderBytes - datagramHeaderBytes
  const layout = planStream({ sizeBytes, blockBytes: 2 ** 20, symbolBytes })
  return symbols.map(({ payload }) => layout.blockOf(Buffer.from(payload).readUInt32BE(sectionAt)))
}
