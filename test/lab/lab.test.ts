/** The lab itself: what the other suites here believe about it. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { capturePackets } from '#test/lab-capture'
import { buildLab, type LabMachine, type LabNetwork } from '#test/lab-network'
import { sendWithUdpcast, sendWithUftp } from '#test/lab-peers'
import { measureRates } from '#test/lab-rates'
import { loseDatagrams, lostDatagrams, setCable, slowDown } from '#test/lab-trouble'
import { command } from '#test/loop'
import { missing } from '#test/needs'
import { seededBytes, seededRandom } from '#test/seeded'
import { temporaryFolder } from '#test/temporary-folder'

const node = process.execPath
const group = '239.255.77.1'

/** Sends `count` datagrams of 1,000 bytes, one a millisecond. */
const sendScript = `
  const [, address, count] = process.argv
  const socket = require('node:dgram').createSocket('udp4')
  socket.bind(0, address, async () => {
    socket.setMulticastInterface(address)
    for (let sent = 0; sent < Number(count); sent++) {
      socket.send(Buffer.alloc(1000, sent), 5001, '${group}')
      await new Promise((done) => setTimeout(done, 1))
    }
    socket.close()
  })`

/** Joins the group and says how many datagrams came, each 100 ms. */
const listenScript = `
  const [, address] = process.argv
  const socket = require('node:dgram').createSocket('udp4')
  let count = 0
  socket.on('message', () => count++)
  socket.bind(5001, '${group}', () => {
    socket.addMembership('${group}', address)
    console.log('joined')
    setInterval(() => console.log('count ' + count + ';'), 100)
  })`

const send = (machine: LabMachine, count: number) =>
  machine.run([node, '-e', sendScript, machine.address, String(count)])

async function listen(machine: LabMachine) {
  const listener = machine.start([node, '-e', listenScript, machine.address])
  await listener.said('joined')
  return { count: () => Number([...listener.text().matchAll(/count (\d+);/g)].at(-1)?.[1] ?? 0) }
}

/** Empty when it has ended. */
const commandLineOf = (pid: string) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

const clientOf = (lab: LabNetwork, index: number) => lab.clients[index] as LabMachine

describe.skipIf(missing('lab', 'program:tcpdump'))('the lab', () => {
  it('carries multicast to everyone, and captures it on the wire', async () => {
    await using lab = await buildLab({ clients: 2 })
    const listeners = [await listen(clientOf(lab, 0)), await listen(clientOf(lab, 1))]
    await using capture = await capturePackets(lab)
    await send(lab.server, 50)
    await expect.poll(() => listeners.map(({ count }) => count())).toEqual([50, 50])
    const { datagrams: seen } = await capture.stop()
    expect(seen).toHaveLength(50)
    expect(seen[7]).toMatchObject({ bytes: 1028, source: '10.77.0.1', destination: group, port: 5001 })
    expect(seen[7]?.payload[0]).toBe(7)
    const { average } = measureRates(seen)
    expect(average).toBeGreaterThan(10_000)
    expect(average).toBeLessThan(1_100_000)
  })

  it('loses datagrams by chance and in bursts', async () => {
    await using lab = await buildLab({ clients: 3 })
    await loseDatagrams(clientOf(lab, 0), { kind: 'chance', share: 0.2 })
    await loseDatagrams(clientOf(lab, 1), { kind: 'bursts' })
    const listeners = await Promise.all(lab.clients.map(listen))
    await send(lab.server, 500)
    await expect.poll(() => listeners[2]?.count()).toBe(500)
    const lost = await Promise.all(lab.clients.slice(0, 2).map(lostDatagrams))
    expect(lost[0]).toBeGreaterThan(50)
    expect(lost[0]).toBeLessThan(160)
    // The first 60, of which 4 go by the other rule, and 4 of every 211.
    expect(lost[1]).toBeGreaterThanOrEqual(64)
    expect(lost[1]).toBeLessThanOrEqual(76)
    await expect
      .poll(() => listeners.slice(0, 2).map(({ count }) => count()))
      .toEqual(lost.map((count) => 500 - count))
  })

  it('makes a link slow, and pulls a cable', async () => {
    await using lab = await buildLab({ clients: 2 })
    await slowDown(lab, clientOf(lab, 0), 0.1)
    await setCable(lab, clientOf(lab, 1), 'down')
    const listeners = await Promise.all(lab.clients.map(listen))
    await send(lab.server, 1000)
    // Of a megabyte, 64 kB go through at once, and then 12.5 kB a second.
    await expect.poll(() => listeners[0]?.count()).toBeGreaterThan(50)
    expect(listeners[0]?.count()).toBeLessThan(700)
    expect(listeners[1]?.count()).toBe(0)
    await setCable(lab, clientOf(lab, 1), 'up')
    await send(lab.server, 10)
    await expect.poll(() => listeners[1]?.count()).toBe(10)
  })

  it('snoops: only members get a group, and nobody without a querier', async () => {
    await using lab = await buildLab({ clients: 2, snooping: 'querier' })
    const member = await listen(clientOf(lab, 0))
    // Until the querier counts.
    await sleep(500)
    await using outside = await capturePackets(lab, { at: 'p2' })
    await send(lab.server, 20)
    await expect.poll(() => member.count()).toBe(20)
    expect((await outside.stop()).datagrams).toEqual([])
    await using inside = await capturePackets(lab, { at: 'p1' })
    await send(lab.server, 5)
    expect((await inside.stop()).datagrams).toHaveLength(5)

    await using broken = await buildLab({ clients: 1, snooping: 'no-querier' })
    const deaf = await listen(clientOf(broken, 0))
    await send(broken.server, 20)
    await sleep(300)
    expect(deaf.count()).toBe(0)
  })

  it('is gone with its programs when it ends, and when the test process is killed', async () => {
    const lab = await buildLab({ clients: 1 })
    const sleeper = lab.server.start(['sleep', '600'])
    await lab[Symbol.asyncDispose]()
    expect((await sleeper.ended).signal).toBe('SIGKILL')
    expect(await command('ip', ['netns', 'list'])).not.toContain(lab.server.namespace)

    const script = `
      const { buildLab } = await import('#test/lab-network')
      const lab = await buildLab({ clients: 1 })
      const sleeper = lab.server.start(['sleep', '600'])
      console.log(sleeper.pid + ' ' + lab.server.namespace + ';')
      setInterval(() => 0, 1000)`
    const doomed = spawn(node, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const said = await new Promise<string>((done) => {
      let text = ''
      doomed.stdout.setEncoding('utf8').on('data', (more: string) => {
        text += more
        if (text.includes(';')) done(text)
      })
    })
    const [, pid = '', namespace = ''] = /^(\d+) (\w+);/.exec(said) ?? []
    doomed.kill('SIGKILL')
    await expect.poll(() => command('ip', ['netns', 'list'])).not.toContain(namespace)
    await expect.poll(() => commandLineOf(pid)).toBe('')
  })
})

describe.skipIf(missing('lab', 'program:udp-sender', 'program:uftp'))('the peers', () => {
  it('send a file to two clients', async () => {
    await using folder = await temporaryFolder()
    const file = await folder.write('image.bin', seededBytes(seededRandom(1), 2_000_000))
    const folders = ['a', 'b'].map((name) => join(folder.path, name))
    for (const path of folders) mkdirSync(path)
    await using lab = await buildLab({ clients: 2 })
    for (const sendWith of [sendWithUdpcast, sendWithUftp]) {
      const { clientSeconds, clientFiles } = await sendWith(lab, { file, folders, bitsPerSecond: 80e6 })
      for (const seconds of clientSeconds) expect(seconds).toBeGreaterThan(0.1)
      for (const path of clientFiles) {
        expect(readFileSync(path).equals(readFileSync(file))).toBe(true)
        writeFileSync(path, '')
      }
    }
  })
})
