/** Switches, several sessions, and people who don't belong there. */
import { describe, expect, it } from 'vitest'
import { capturePackets } from '#test/lab-capture'
import { labImage } from '#test/lab-image'
import { sendGarbage, sprayDatagrams } from '#test/lab-outsider'
import { testedProgram, startReceiving } from '#test/lab-stream'
import type { LabProcess } from '#test/lab-process'
import { missing } from '#test/needs'
import { openRoom, type Room } from './room.ts'

describe.skipIf(missing('lab', 'program:tcpdump'))('a stream on a real network', () => {
  it('bothers nobody else where a switch snoops', async () => {
    await using room = await openRoom({ clients: 2, snooping: 'querier' })
    await room.serve({ dataRate: 4e6 })
    await using elsewhere = await capturePackets(room.lab, {
      at: room.client(1).port,
      filter: 'udp and dst host 239.255.77.7',
    })
    expect(await room.outcome(0, room.receive(0))).toBe('the image')
    const { datagrams } = await elsewhere.stop()
    expect(datagrams).toEqual([])
  })

  it('comes over the control connection where a switch has no querier, and the client says why', async () => {
    await using room = await openRoom({ clients: 1, snooping: 'no-querier' })
    await room.serve()
    const client = room.receive(0)
    expect(await room.outcome(0, client)).toBe('the image')
    expect(client.text()).toMatch(/querier/i)
  })

  it('keeps two sessions apart that share a group, and two that don’t', async () => {
    await using room = await openRoom({ clients: 4, megabytes: 2 })
    const other = await labImage(room.folder, { megabytes: 2, seed: 2, name: 'other.dmg' })
    await room.serve()
    await room.serve({ source: other.path, port: 7801 })
    await room.serve({ source: other.path, port: 7802, group: '239.255.77.8' })
    const clients = [0, 1].map((index) => room.receive(index))
    const others = [2, 3].map((index) =>
      startReceiving(room.client(index), {
        file: room.fileOf(index),
        locator: `asr://10.77.0.1:${7799 + index}`,
      }),
    )
    expect(await room.outcomes(clients)).toEqual(clients.map(() => 'the image'))
    expect(await room.outcome(2, others[0] as LabProcess, other)).toBe('the image')
    expect(await room.outcome(3, others[1] as LabProcess, other)).toBe('the image')
  })

  it('keeps two sessions of one server apart, with one port and one group', async () => {
    await using room = await openRoom({ clients: 2, megabytes: 2 })
    const other = await labImage(room.folder, { megabytes: 2, seed: 2, name: 'other.dmg' })
    const start = (source: string) =>
      room.lab.server.start(
        [...testedProgram, 'session', 'start', '--source', source, '--address', '239.255.77.7'].concat([
          '--data-rate',
          '1000000',
          '--no-bonjour',
        ]),
        { env: { REPRISE_DATA: room.folder.path } },
      )
    await start(room.image.path).said('Ready to start accepting clients')
    expect((await start(other.path).ended).status).toBe(0)
    const [client, second] = ['lab', 'other'].map((session, index) =>
      startReceiving(room.client(index), {
        file: room.fileOf(index),
        locator: `asr://10.77.0.1/${session}`,
      }),
    )
    expect(await room.outcome(0, client as LabProcess)).toBe('the image')
    expect(await room.outcome(1, second as LabProcess, other)).toBe('the image')
  })

  it('is had from a server by its link-local address, on the interface that is named with it', async () => {
    await using room = await openRoom({ clients: 1, megabytes: 2 })
    const address = await linkLocalAddress(room)
    await room.serve()
    const locator = `asr://[${address}%eth0]`
    const running = startReceiving(room.client(0), { file: room.fileOf(0), locator })
    expect(await room.outcome(0, running)).toBe('the image')
  })

  it('comes over the control connection to a client that has IPv6 alone, and the client says why', async () => {
    await using room = await openRoom({ clients: 1, megabytes: 2 })
    const address = await linkLocalAddress(room)
    await room.serve()
    await room.client(0).run(['ip', '-4', 'addr', 'flush', 'dev', 'eth0'])
    const locator = `asr://[${address}%eth0]`
    const running = startReceiving(room.client(0), { file: room.fileOf(0), locator })
    expect(await room.outcome(0, running)).toBe('the image')
    expect(running.text()).toContain('It has no IPv4 address there')
  })

  it('gets through forged and replayed datagrams, and garbage on its control port', async () => {
    await using room = await openRoom({ clients: 4 })
    const server = await room.serve()
    const sprayer = sprayDatagrams(room.client(2), '239.255.77.7', 7800)
    const garbage = sendGarbage(room.client(3), '10.77.0.1', 7800)
    await sprayer.said('spraying')
    await garbage.said('done')
    const clients = [room.receive(0), room.receive(1)]
    expect(await room.outcomes(clients)).toEqual(clients.map(() => 'the image'))
    expect(Number([...sprayer.text().matchAll(/sprayed (\d+)/g)].at(-1)?.[1])).toBeGreaterThan(5000)
    expect(server.usage()).not.toBeNull()
  })
})

/** The server's, once it and the first client may use theirs: until the kernel has looked whether somebody else has it, nobody can. */
async function linkLocalAddress(room: Room): Promise<string> {
  const addresses = ['ip', '-6', '-o', 'addr', 'show', 'dev', 'eth0', 'scope', 'link']
  for (const host of [room.lab.server, room.client(0)])
    await expect.poll(() => host.run(addresses), { timeout: 20_000 }).not.toMatch(/^$|tentative/)
  const text = await room.lab.server.run(addresses)
  return /inet6 (fe80:[0-9a-f:]+)/.exec(text)?.[1] ?? ''
}
