/** The real thing: a server and its clients as processes, each in a machine of its own. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { capturePackets, multicastOnly } from '#test/lab-capture'
import { startRestoring } from '#test/lab-stream'
import { endSlowness, loseDatagrams, lostDatagrams, slowDown } from '#test/lab-trouble'
import { attachLoop, command } from '#test/loop'
import { missing } from '#test/needs'
import { dataRate, expectNothingElse, openRoom } from './room.ts'

describe.skipIf(missing('lab', 'loop'))('a stream', () => {
  it('reaches a single client', async () => {
    await using room = await openRoom({ clients: 1 })
    const server = await room.serve()
    expect(await room.outcome(0, room.receive(0))).toBe('the image')
    await server.said('Starting stream')
    server.kill('SIGINT')
    await server.ended
  })

  it('reaches four clients that lose nothing, 1 %, 5 % and whole bursts', async () => {
    await using room = await openRoom({ clients: 4 })
    await loseDatagrams(room.client(1), { kind: 'chance', share: 0.01 })
    await loseDatagrams(room.client(2), { kind: 'chance', share: 0.05 })
    await loseDatagrams(room.client(3), { kind: 'bursts' })
    await room.serve({ dataRate: 2 * dataRate })
    const clients = room.lab.clients.map((_, index) => room.receive(index))
    expect(await room.outcomes(clients)).toEqual(clients.map(() => 'the image'))
    for (const lossy of [1, 2, 3]) expect(await lostDatagrams(room.client(lossy))).toBeGreaterThan(10)
  })

  it('reaches the disks of two clients, one of which loses 5 %', async () => {
    await using room = await openRoom({ clients: 2 })
    // A little larger than what is restored, and empty, so that whatever else is written is seen.
    const sizeBytes = room.image.disk.length + 2 ** 20
    await using first = await attachLoop({ sizeBytes })
    await using second = await attachLoop({ sizeBytes })
    await loseDatagrams(room.client(1), { kind: 'chance', share: 0.05 })
    await room.serve()
    const restores = [first, second].map(({ path }, index) => startRestoring(room.client(index), path))
    for (const [index, { ended }] of restores.entries())
      expect(await ended, `client ${index}`).toMatchObject({ status: 0 })
    const wanted = Buffer.concat([room.image.disk, Buffer.alloc(2 ** 20)])
    for (const { path } of [first, second]) {
      await command('blockdev', ['--flushbufs', path])
      expect(readFileSync(path).equals(wanted), `the disk ${path}`).toBe(true)
    }
  })

  it('that is fast is cut and joined by the system, and reaches its client whole', async () => {
    await using room = await openRoom({ clients: 1 })
    await using capture = await capturePackets(room.lab, { filter: multicastOnly })
    const server = await room.serve({ dataRate: 400e6 })
    expect(await room.outcome(0, room.receive(0))).toBe('the image')
    server.kill('SIGINT')
    await server.ended
    const { datagrams } = await capture.stop()
    const lengths = datagrams.map(({ bytes }) => bytes)
    // On a bridge of one machine a piece is carried as it was given to the system.
    expect(Math.max(...lengths)).toBeGreaterThan(2 * 1500)
  })

  it('reaches sixteen clients, each of which loses something else', async () => {
    await using room = await openRoom({ clients: 16 })
    for (const [index, machine] of room.lab.clients.entries())
      if (index % 4 !== 0) await loseDatagrams(machine, { kind: 'chance', share: (index % 4) / 40 })
    await room.serve()
    const clients = room.lab.clients.map((_, index) => room.receive(index))
    expect(await room.outcomes(clients)).toEqual(clients.map(() => 'the image'))
  })

  it('of a server with large frames reaches a client with usual ones by multicast', async () => {
    await using room = await openRoom({ clients: 1, serverMtu: 9000, bursts: 'cut' })
    await room.serve({ dataRate: 12e6 })
    const client = room.receive(0)
    expect(await room.outcome(0, client)).toBe('the image')
    expect(client.text()).not.toMatch(/control connection|querier/i)
  })

  it('doesn’t wait for a client behind a slow link', async () => {
    await using room = await openRoom({ clients: 4 })
    // A twentieth of the stream: it would take more than a minute.
    await slowDown(room.lab, room.client(3), 0.4)
    await room.serve()
    const slow = room.receive(3)
    const clients = [0, 1, 2].map((index) => room.receive(index))
    expect(await room.outcomes(clients)).toEqual(clients.map(() => 'the image'))
    expectNothingElse(room, 3)
    await endSlowness(room.lab, room.client(3))
    expect(await room.outcome(3, slow)).toBe('the image')
  })
})
