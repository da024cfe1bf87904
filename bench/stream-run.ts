/** One multicast in a lab of network namespaces, measured from outside: packets on the wire, `/proc` of the processes. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planStream } from '#engine/multicast/layout'
import { capturePackets, connectionsOnly, multicastOnly } from '#test/lab-capture'
import type { CapturedDatagram } from '#test/lab-capture-file'
import { buildLab, type LabNetwork } from '#test/lab-network'
import type { LabProcess } from '#test/lab-process'
import { startReceiving, startStreamServer } from '#test/lab-stream'
import { builtProgram } from './contenders.ts'
import { meterCpu, type CpuMeter } from './cpu-meter.ts'

const MiB = 2 ** 20
/** Of every datagram before its symbol: IPv4, UDP, and docs/protocol.md §3. */
const headerBytes = 20 + 8 + 32

export const streamProgram = [join(import.meta.dirname, '../node_modules/node/bin/node'), builtProgram]

export interface StreamRunOptions {
  /** Path of a scanned image. */
  readonly image: string
  /** Bytes a second. */
  readonly dataRate: number
  readonly clients: number
  /** `with-all`: the stream waits until all are there. Default: it begins with the first. */
  readonly begins?: 'with-all'
  /**
   * Default: with the datagrams, each of them a frame of its own as on a wire. `connections`: without them, which then cost
   * nothing; and the system may carry several as one, as it does when nobody looks.
   */
  readonly capture?: 'everything' | 'connections'
  /** Before anybody starts: what is wrong with the network. */
  readonly prepare?: (lab: LabNetwork) => Promise<void>
  /** Starts the clients. Default: all at once. */
  readonly script?: (run: StreamScript) => Promise<void>
}

export interface StreamScript {
  readonly lab: LabNetwork
  start(index: number): LabProcess
}

export interface StreamedClient {
  /** From its first packet to the server, or the stream's beginning if that is later, until it leaves with everything. Null: killed. */
  readonly seconds: number | null
  /** Of the processor, in cores, while it was busiest. */
  readonly cores: number
}

export interface StreamRun {
  /** From the server to the group. */
  readonly datagrams: readonly CapturedDatagram[]
  readonly clients: readonly StreamedClient[]
  /** The time that the image's own symbols take at the Data Rate, with all headers. */
  readonly imageSeconds: number
  readonly dataRate: number
  readonly serverRssBytes: number
}

/** In memory where there is some, because nothing here is about disks. */
export const scratchFolder = () =>
  mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'reprise-stream-'))

/** Runs until every client has ended, and checks that each has the image. */
export async function runStream(options: StreamRunOptions): Promise<StreamRun> {
  const { image, dataRate, clients: count, capture: what = 'everything' } = options
  const folder = scratchFolder()
  try {
    await using lab = await buildLab({ clients: count, bursts: what === 'everything' ? 'cut' : 'whole' })
    await options.prepare?.(lab)
    const keys = { 'DNS Service Discovery': false }
    const served = {
      source: image,
      dataRate,
      keys,
      program: streamProgram,
      ...(options.begins === 'with-all' ? { waitsFor: count } : {}),
    }
    const server = meterCpu(await startStreamServer(lab, folder, served))
    const filter = what === 'connections' ? connectionsOnly : `(${multicastOnly}) or (${connectionsOnly})`
    await using capture = await capturePackets(lab, { filter })
    const started = new Map<number, { readonly running: LabProcess; readonly meter: CpuMeter }>()
    const fileOf = (index: number) => join(folder, `${index}.dmg`)
    const start = (index: number) => {
      const client = lab.clients[index]
      if (client === undefined) throw new Error(`the lab has no client ${index}`)
      const running = startReceiving(client, {
        file: fileOf(index),
        program: streamProgram,
        // Nobody else reads it back; and it is compared in the end.
        more: ['--noverify'],
      })
      started.set(index, { running, meter: meterCpu(running) })
      return running
    }
    if (options.script === undefined) for (let index = 0; index < count; index++) start(index)
    else await options.script({ lab, start })
    const isDone = new Map<number, boolean>()
    for (const [index, { running }] of started) {
      const { status, signal, text } = await running.ended
      if (status !== 0 && signal !== 'SIGKILL') throw new Error(`client ${index}: ${text}`)
      if (status === 0) await lab.server.run(['cmp', image, fileOf(index)])
      isDone.set(index, status === 0)
    }
    const { datagrams, handshakes } = await capture.stop()
    const symbols = datagrams.filter(({ payload }) => payload[4] === symbolKind)
    const beginMs = symbols[0]?.ms ?? 0
    const packetBytes = symbols[0]?.bytes ?? headerBytes + 1408
    return {
      datagrams: symbols,
      clients: lab.clients.map(({ address }, index) => {
        const own = handshakes.filter(({ source }) => source === address)
        // It may look before it joins.
        const joined = own.findLast(({ step }) => step === 'begin')
        const left = own.findLast(({ step }) => step === 'end')
        const hasTimes = isDone.get(index) === true && joined !== undefined && left !== undefined
        return {
          seconds: hasTimes ? (left.ms - Math.max(beginMs, joined.ms)) / 1000 : null,
          cores: started.get(index)?.meter.busiest() ?? 0,
        }
      }),
      imageSeconds: (sourceSymbols(image, packetBytes - headerBytes) * packetBytes) / dataRate,
      dataRate,
      serverRssBytes: server.total().maxRssBytes,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** docs/protocol.md §3: byte 4 of a datagram. */
const symbolKind = 1

const sourceSymbols = (image: string, symbolBytes: number) =>
  planStream({ sizeBytes: statSync(image).size, blockBytes: MiB, symbolBytes }).sourceSymbols
