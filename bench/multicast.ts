/**
 * Multicast in network namespaces on a bridge, as the network's own clock sees it. Clients receive the image's file (`--file`)
 * into memory, so that disks have no part in it; every file is compared.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LabNetwork } from '#test/lab-network'
import { measureRates } from '#test/lab-rates'
import { loseDatagrams, slowDown } from '#test/lab-trouble'
import { missing } from '#test/needs'
import { buildImage } from './build-image.ts'
import { measureCrowd } from './crowd.ts'
import type { BenchOptions } from './groups.ts'
import { inMiB, inSeconds, type Line } from './line.ts'
import { median } from './measure.ts'
import { peerRates, peerSeconds } from './multicast-peers.ts'
import { measureSimulated } from './multicast-simulated.ts'
import { realData } from './real-data.ts'
import { runStream, type StreamRun, type StreamScript } from './stream-run.ts'

const MiB = 2 ** 20
const inMegabytes = (bytesPerSecond: number) => `${(bytesPerSecond / 1e6).toFixed(2)} MB/s`

const needs = ['lab', 'program:tcpdump', 'program:udp-sender', 'program:uftp'] as const

/** A group that is left out, with a word, where there can't be a lab. */
const inLab = (measure: (options: BenchOptions) => Promise<Line[]>) => async (options: BenchOptions) =>
  missing(...needs) ? [] : await measure(options)

/** Of about 40 % of `size` MiB: files of this machine, zlib, scanned. */
const imageOf = async (size: number) => buildImage(await realData(size * MiB), 'zlib')

/** The Data Rate at 12, 50 and 100 MB/s, and what it costs to receive the fastest. */
const measureRate = inLab(async ({ imageMiB }) => {
  const image = await imageOf(imageMiB)
  const lines: Line[] = []
  for (const dataRate of [12e6, 50e6, 100e6]) {
    const run = await runStream({ image, dataRate, clients: 1 })
    // When it ends is the client's business: then there are pauses, while nobody needs anything.
    const rates = measureRates(withoutTail(run))
    const peers = await peerRates(image, dataRate)
    const what = `multicast at ${dataRate / 1e6} MB/s, captured on the bridge`
    lines.push(
      {
        what: `${what}: average, of the Data Rate (and not above it: see the next line)`,
        ours: inMegabytes(rates.average),
        peer: peers.map(({ name, average }) => `${name} ${inMegabytes(average)}`).join(', '),
        value: rates.average / dataRate,
        unit: '×',
        target: { atLeast: 0.93 },
      },
      {
        what: `${what}: fullest 10 ms, of the Data Rate`,
        ours: inMegabytes(rates.highestIn10Ms),
        peer: peers.map(({ name, highestIn10Ms }) => `${name} ${inMegabytes(highestIn10Ms)}`).join(', '),
        value: rates.highestIn10Ms / dataRate,
        unit: '×',
        target: { atMost: 1 },
      },
    )
    if (dataRate === 100e6) {
      const cores = run.clients[0]?.cores ?? Infinity
      lines.push({
        what: 'multicast: receiving 100 MB/s into a file, cores (scaled up from what was sent, if it was less)',
        ours: `${cores.toFixed(2)} cores at ${inMegabytes(rates.average)}`,
        peer: '',
        value: (cores * dataRate) / rates.average,
        unit: '×',
        target: { atMost: 1 },
      })
    }
  }
  return lines
})

/** The datagrams of the first walk: as many bytes as the image's own symbols are. */
function withoutTail({ datagrams, imageSeconds, dataRate }: StreamRun) {
  let left = imageSeconds * dataRate
  return datagrams.filter(({ bytes }) => {
    left -= bytes
    return left >= 0
  })
}

/** One client and no cap, beside udpcast and uftp. */
const measureSpeed = inLab(async ({ imageMiB, rounds }) => {
  const image = await imageOf(imageMiB)
  const ours: number[] = []
  const theirs = { udpcast: [] as number[], uftp: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    const run = await runStream({ image, dataRate: 1e9, clients: 1, capture: 'connections' })
    ours.push(slowest(run))
    for (const name of ['udpcast', 'uftp'] as const) theirs[name].push(await peerSeconds(name, image))
  }
  return (['udpcast', 'uftp'] as const).map((name) => ({
    what: `multicast of ${imageMiB} MiB as UDZO to one client without a cap: how many times as fast as ${name}`,
    ours: inSeconds(median(ours)),
    peer: inSeconds(median(theirs[name])),
    value: median(theirs[name]) / median(ours),
    unit: '×',
    target: name === 'udpcast' ? { atLeast: 1 } : null,
  }))
})

/** The client that took longest from joining to having everything, in seconds. */
function slowest({ clients }: StreamRun): number {
  return Math.max(...clients.map(({ seconds }) => seconds ?? 0))
}

/**
 * Completion in image-times. The clients share two cores here, so that sixteen can't be fast, and the stream waits until they
 * have all been started, which takes those cores longer than the network.
 */
const measureCompletion = inLab(async ({ otherMiB }) => {
  const image = await imageOf(otherMiB)
  const lines: Line[] = []
  let serverRssBytes = 0
  for (const { clients, dataRate } of [
    { clients: 1, dataRate: 8e6 },
    { clients: 16, dataRate: 4e6 },
  ])
    for (const [share, atMost] of [
      [0, 1.05],
      [0.01, 1.08],
      [0.05, 1.2],
    ] as const) {
      const run = await runStream({
        image,
        dataRate,
        clients,
        begins: 'with-all',
        prepare: losing(share),
      })
      serverRssBytes = Math.max(serverRssBytes, run.serverRssBytes)
      lines.push({
        what: `multicast to ${clients} at ${share * 100} % loss: the slowest from joining to having it, in image-times`,
        ours: `${inSeconds(slowest(run))} of ${inSeconds(run.imageSeconds)}`,
        peer: '',
        value: slowest(run) / run.imageSeconds,
        unit: '×',
        target: { atMost },
      })
    }
  lines.push({
    what: 'multicast: memory of the server, the most of these',
    ours: inMiB(serverRssBytes),
    peer: '',
    value: serverRssBytes / MiB,
    unit: 'MiB',
    target: { atMost: 300 },
  })
  return lines
})

const losing = (share: number) => async (lab: LabNetwork) => {
  if (share > 0) for (const client of lab.clients) await loseDatagrams(client, { kind: 'chance', share })
}

/** Someone joins late, someone has a slow link, someone is killed; and the others. */
const measureOthers = inLab(async ({ otherMiB }) => {
  const image = await imageOf(otherMiB)
  const quiet = await runStream({ image, dataRate: 16e6, clients: 4 })
  const halfMs = (quiet.imageSeconds * 1000) / 2
  const slow = await runStream({
    image,
    dataRate: 16e6,
    clients: 4,
    prepare: async (lab) => slowDown(lab, lab.clients[3] as LabNetwork['clients'][0], 80),
  })
  const killed = await runStream({ image, dataRate: 16e6, clients: 4, script: killLast(halfMs) })
  const late = await runStream({ image, dataRate: 8e6, clients: 2, script: joinLate(2 * halfMs) })
  const three = (run: StreamRun) =>
    Math.max(...run.clients.slice(0, 3).map(({ seconds }) => seconds ?? Infinity))
  return [
    {
      what: 'multicast to four, one behind 80 Mbit/s at 16 MB/s: the other three, beside their time without it',
      ours: `${inSeconds(three(slow))}, without ${inSeconds(three(quiet))}; the slow one ${inSeconds(slowest(slow))}`,
      peer: `udpcast ${inSeconds(await peerSeconds('udpcast', image, slowLast))}, all of them`,
      value: three(slow) / three(quiet),
      unit: '×',
      target: { atMost: 1.05 },
    },
    {
      what: 'multicast to four, one killed in the middle: the other three, beside their time without that',
      ours: `${inSeconds(three(killed))}, without ${inSeconds(three(quiet))}`,
      peer: '',
      value: three(killed) / three(quiet),
      unit: '×',
      target: { atMost: 1.02 },
    },
    {
      what: 'multicast to one that joins when half is gone: from joining, in image-times',
      ours: `${inSeconds(late.clients[1]?.seconds ?? Infinity)} of ${inSeconds(late.imageSeconds)}`,
      peer: '',
      value: (late.clients[1]?.seconds ?? Infinity) / late.imageSeconds,
      unit: '×',
      target: { atMost: 1.05 },
    },
  ]
})

const slowLast = {
  clients: 4,
  bitsPerSecond: 128e6,
  prepare: async (lab: LabNetwork) => slowDown(lab, lab.clients[3] as LabNetwork['clients'][0], 80),
}

const killLast = (afterMs: number) => async (run: StreamScript) => {
  const clients = [0, 1, 2, 3].map((index) => run.start(index))
  await sleep(afterMs)
  clients[3]?.kill('SIGKILL')
}

const joinLate = (afterMs: number) => async (run: StreamScript) => {
  run.start(0)
  await sleep(afterMs)
  run.start(1)
}

const measureCost = inLab(async ({ imageMiB, rounds }) => measureCrowd(await imageOf(imageMiB), 5 * rounds))

/** By the name that `--only` takes. */
export const multicastGroups = {
  'multicast-rate': measureRate,
  'multicast-speed': measureSpeed,
  'multicast-completion': measureCompletion,
  'multicast-others': measureOthers,
  'multicast-cost': measureCost,
  'multicast-simulated': measureSimulated,
}
