/** What a client more costs the server: the real server, with a crowd of control connections from one process. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildLab } from '#test/lab-network'
import { startStreamServer } from '#test/lab-stream'
import { rmSync } from 'node:fs'
import { meterCpu } from './cpu-meter.ts'
import { inMiB, type Line } from './line.ts'
import { scratchFolder, streamProgram } from './stream-run.ts'

const MiB = 2 ** 20
const [node = 'node'] = streamProgram
const script = join(import.meta.dirname, 'crowd-clients.ts')

/** Lines about 1 client and 1,000, while the image streams. */
export async function measureCrowd(image: string, seconds: number): Promise<Line[]> {
  const [one, many] = [await withCrowd(image, 1, seconds), await withCrowd(image, 1000, seconds)]
  const perClientMs = ((many.cores - one.cores) / 999) * 1000
  return [
    {
      what: 'multicast at 12 MB/s: CPU of the server a second for each client more, 1 beside 1,000 (simulated by one process)',
      ours: `${(one.cores * 1000).toFixed(0)} ms and ${(many.cores * 1000).toFixed(0)} ms a second`,
      peer: '',
      value: perClientMs,
      unit: 'ms',
      target: { atMost: 0.2 },
    },
    {
      what: 'multicast: memory of the server with 1,000 clients',
      ours: `${inMiB(many.maxRssBytes)}, with one ${inMiB(one.maxRssBytes)}`,
      peer: '',
      value: many.maxRssBytes / MiB,
      unit: 'MiB',
      target: { atMost: 300 },
    },
  ]
}

async function withCrowd(source: string, count: number, seconds: number) {
  const folder = scratchFolder()
  try {
    await using lab = await buildLab({ clients: 1 })
    const keys = { 'DNS Service Discovery': false }
    const server = await startStreamServer(lab, folder, {
      source,
      dataRate: 12e6,
      keys,
      program: streamProgram,
    })
    const crowd = lab.clients[0]?.start([node, script, lab.server.address, '7800', String(count)])
    if (crowd === undefined) throw new Error('a lab without clients')
    await crowd.said('all joined')
    // Shaking hands costs much more than staying.
    await sleep(2000)
    const meter = meterCpu(server)
    const fromMs = performance.now()
    await sleep(seconds * 1000)
    const cores = meter.between(fromMs, performance.now())
    if (crowd.text().includes('gone'))
      throw new Error(`clients of the crowd were thrown out: ${crowd.text()}`)
    return { cores, maxRssBytes: meter.total().maxRssBytes }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
