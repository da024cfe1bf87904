/**
 * A whole lab in one process: one sender, any number of receivers, the network between them, and time, all simulated from
 * one seed. Every byte goes through the real encoders and decoders; what comes out is compared with the image.
 */
import { createHash } from 'node:crypto'
import { createErasureCode } from '#engine/multicast/fec'
import { planStream, type StreamSizes } from '#engine/multicast/layout'
import { createReceiver, type Receiver } from '#engine/multicast/receiver'
import { createSender, createSymbolSource, type Sender, type SenderOptions } from '#engine/multicast/sender'
import {
  createClientLink,
  createSessionHub,
  startWithFirst,
  type ClientLink,
  type HubOutput,
  type JoinedSession,
} from '#engine/multicast/sessions'
import {
  createDatagramCoder,
  createFrameReader,
  datagramHeaderBytes,
  encodeMessage,
  networkHeaderBytes,
  type ClientMessage,
  type Datagram,
  type DatagramCoder,
  type ServerMessage,
} from '#engine/multicast/wire'
import { EventQueue } from '#test/event-queue'
import { seededBytes, seededRandom } from '#test/seeded'
import { latencyMs, simulateLink, type LinkOptions, type SimulatedLink } from '#test/simulated-link'

export interface LabClient extends LinkOptions {
  readonly joinMs?: number
  /** Vanishes without a word. */
  readonly vanishMs?: number
  /** Vanishes, and comes back with what its journal has, so many milliseconds later. */
  readonly rebootMs?: readonly [number, number]
  /** Bytes a second that its disk takes. Default: no limit. */
  readonly writeBytesPerSecond?: number
  /** It takes nothing from … to. */
  readonly writePause?: readonly [number, number]
  readonly holdBytes?: number
}

export interface LabOptions extends StreamSizes {
  readonly seed: number
  /** Of the stream's source symbols at its Data Rate, with all headers. The Data Rate follows from it. */
  readonly imageTimeMs: number
  readonly clients: readonly LabClient[]
  readonly sender?: Partial<Pick<SenderOptions, 'considerate' | 'clientDataRate' | 'feedback'>>
  /** Things that happen besides. */
  readonly script?: (lab: Lab) => void
  /** Give up after so many image-times. */
  readonly limit?: number
}

export interface LabClientResult {
  /** From joining to the last block written, in image-times; null if that didn't happen. */
  readonly imageTimes: number | null
  readonly isIdentical: boolean
  readonly receiver: Receiver
}

export interface Lab {
  readonly queue: EventQueue
  readonly sender: Sender
  /** Of the session, as every client has it. */
  readonly coder: DatagramCoder
  /** Send these bytes to the group as somebody else would. */
  readonly spray: (bytes: Uint8Array) => void
  /** Datagrams that the sender sent so far: of symbols, of positions. */
  readonly sent: { symbols: number; positions: number }
  /** The moments of all datagrams, if `keepTimes`. */
  readonly times: number[]
  readonly lastDatagrams: Uint8Array[]
  readonly imageTimeMs: number
  readonly datagramBytes: number
  readonly dataRate: number
  results(): LabClientResult[]
  /** Milliseconds of this machine's processor that the sending side took. */
  senderCpuMs(): number
}

/** One client: its link, its receiver (a new one after a reboot), its disk. */
interface Machine {
  readonly options: LabClient
  readonly link: SimulatedLink
  readonly id: string
  readonly disk: Uint8Array
  joinedMs: number | null
  finishedMs: number | null
  receiver: Receiver | null
  /** Its connection; each new one has a new name. */
  connection: string
  wakesMs: number
  diskFreeMs: number
  /** By block: how often it was written. */
  readonly writes: Uint8Array
}

/** A connection, as its client sees it. */
interface Guest {
  readonly machine: Machine
  readonly link: ClientLink
  /** What its journal knows to be on the disk. */
  readonly have: Uint8Array | null
}

/** Run it until every client that doesn't vanish has everything. */
export function runLab(options: LabOptions): Lab {
  const { sizeBytes, blockBytes, symbolBytes, imageTimeMs } = options
  const layout = planStream({ sizeBytes, blockBytes, symbolBytes })
  const random = seededRandom(options.seed)
  const image = seededBytes(random, sizeBytes)
  const blockOf = (block: number) => image.subarray(block * blockBytes, (block + 1) * blockBytes)
  const hashes = Array.from({ length: layout.blocks }, (_, block) =>
    createHash('sha256').update(blockOf(block)).digest(),
  )
  const session = { key: seededBytes(random, 16), tag: 0x5e55_1017, symbolBytes }
  const coder = withMemory(createDatagramCoder(session))
  const code = createErasureCode(symbolBytes)
  const symbols = createSymbolSource(layout, createErasureCode(symbolBytes), blockOf)
  const datagramBytes = symbolBytes + datagramHeaderBytes + networkHeaderBytes
  const dataRate = (layout.sourceSymbols * datagramBytes * 1000) / imageTimeMs
  const queue = new EventQueue()
  const sender = createSender({
    layout,
    dataRate,
    datagramBytes,
    considerate: 'on',
    clientDataRate: null,
    feedback: { kind: 'demand' },
    ...options.sender,
  })
  const machines = options.clients.map((client, index): Machine => ({
    options: client,
    link: simulateLink(client, seededRandom(options.seed * 100_003 + index)),
    id: `client ${index}`,
    disk: new Uint8Array(sizeBytes),
    joinedMs: null,
    finishedMs: null,
    receiver: null,
    connection: '',
    wakesMs: Infinity,
    diskFreeMs: 0,
    writes: new Uint8Array(layout.blocks),
  }))
  const hubOptions = {
    salt: new Uint8Array(16),
    fingerprint: new Uint8Array(32),
    nonce: () => new Uint8Array(32),
  }
  const hub = createSessionHub(hubOptions)
  const guests = new Map<string, Guest>()
  hub.add({
    facts: {
      kind: 'session',
      sessionId: seededBytes(random, 16),
      name: 'lab',
      imageName: 'lab.dmg',
      imageFormat: 'UDZO',
      sizeBytes,
      blockBytes,
      root: new Uint8Array(32),
      group: '239.255.0.1',
      port: 7800,
      dataRate: Math.round(dataRate),
      reportEveryMs: 250,
      ...session,
    },
    sender,
    hashesFrom: (first, most) => Buffer.concat(hashes.slice(first, first + most)),
    blocks: layout.blocks,
    startRule: startWithFirst,
    admission: [],
    passwordKey: null,
    mostClients: machines.length,
    whenFinished: 'stays',
  })
  const sent = { symbols: 0, positions: 0 }
  const times: number[] = []
  const lastDatagrams: Uint8Array[] = []
  let senderCpu = 0
  const timed = <T>(work: () => T): T => {
    const before = performance.now()
    const result = work()
    senderCpu += performance.now() - before
    return result
  }

  const settle = (machine: Machine) => {
    const { receiver } = machine
    if (receiver === null) return
    for (const output of receiver.poll(queue.nowMs)) {
      if (output.kind === 'report') tellServer(machine, output.report)
      else if (output.kind === 'block') write(machine, receiver, output.block, output.bytes)
      else if (output.kind === 'complete') {
        machine.finishedMs ??= queue.nowMs
        tellServer(machine, { kind: 'finished', outcome: 'done', text: '' })
      }
    }
    wake(machine)
  }
  const wake = (machine: Machine) => {
    const atMs = machine.receiver?.wakeMs ?? Infinity
    if (atMs === Infinity || (atMs >= machine.wakesMs && machine.wakesMs > queue.nowMs)) return
    machine.wakesMs = atMs
    queue.at(atMs, () => {
      if (machine.wakesMs === atMs) {
        machine.wakesMs = Infinity
        settle(machine)
      }
    })
  }
  const write = (machine: Machine, receiver: Receiver, block: number, bytes: Uint8Array) => {
    const speed = machine.options.writeBytesPerSecond
    const offset = block * blockBytes
    const finish = () => {
      if (machine.receiver !== receiver) return
      machine.writes[block]! += 1
      machine.disk.set(bytes, offset)
      receiver.written(block, queue.nowMs)
      if (speed !== undefined) settle(machine)
    }
    if (speed === undefined) return finish()
    const [pauseMs, goesOnMs] = machine.options.writePause ?? [0, 0]
    const startMs = Math.max(machine.diskFreeMs, queue.nowMs)
    machine.diskFreeMs =
      (startMs >= pauseMs ? Math.max(startMs, goesOnMs) : startMs) + (bytes.length * 1000) / speed
    queue.at(machine.diskFreeMs, finish)
  }
  /** Over the control connection, as bytes, in order, a little later. */
  const tellServer = (machine: Machine, message: ClientMessage) => {
    const { connection } = machine
    const bytes = encodeMessage(message)
    queue.at(machine.link.controlArrival(queue.nowMs, 'to the server'), () => {
      const reader = createFrameReader({ peer: connection, from: 'client' })
      carry(
        timed(() =>
          reader
            .read(bytes)
            .flatMap((message) => hub.message(connection, message as ClientMessage, queue.nowMs)),
        ),
      )
      serve()
    })
  }
  const carry = (outputs: readonly HubOutput[]) => {
    for (const output of outputs) {
      if (output.kind !== 'send' && output.kind !== 'close') continue
      const guest = guests.get(output.connection)!
      if (output.kind === 'close') {
        queue.at(guest.machine.link.controlArrival(queue.nowMs, 'to the client'), () => {
          if (guest.machine.connection === output.connection) comeBack(guest)
        })
        continue
      }
      const bytes = timed(() => encodeMessage(output.message))
      queue.at(guest.machine.link.controlArrival(queue.nowMs, 'to the client'), () => {
        if (guest.machine.connection === output.connection) hear(guest, bytes)
      })
    }
  }
  const hear = ({ machine, link, have }: Guest, bytes: Uint8Array) => {
    const reader = createFrameReader({ peer: 'server', from: 'server' })
    for (const output of reader.read(bytes).flatMap((message) => link.message(message as ServerMessage)))
      if (output.kind === 'greeted') tellServer(machine, link.sayHello(null))
      else if (output.kind === 'joined') {
        if (machine.receiver === null) receive(machine, output.session, have)
      } else if (output.kind === 'hashes') machine.receiver?.hashesCame(queue.nowMs)
      else if (output.kind === 'position') machine.receiver?.position(output.position, queue.nowMs)
    settle(machine)
  }
  const receive = (machine: Machine, session: JoinedSession, have: Uint8Array | null) => {
    const chances = seededRandom(options.seed + machines.indexOf(machine))
    machine.receiver = createReceiver({
      layout: session.layout,
      coder,
      code,
      hashOf: session.hashOf,
      ...(have === null ? {} : { have }),
      holdBytes: machine.options.holdBytes ?? 64 * 1024 * 1024,
      position: session.position,
      nowMs: queue.nowMs,
      chance: () => chances.fraction(),
    })
  }
  /** Sent away while it was cut off: it connects anew, and keeps what it has. */
  const comeBack = ({ machine, have }: Guest) => {
    if (machine.finishedMs === null) join(machine, have)
  }
  const join = (machine: Machine, have: Uint8Array | null) => {
    machine.joinedMs ??= queue.nowMs
    machine.connection = `connection ${guests.size}`
    const clientId = new Uint8Array(16)
    new DataView(clientId.buffer).setUint32(0, machines.indexOf(machine))
    const link = createClientLink({
      address: 'server',
      purpose: 'join',
      clientId,
      hostName: '',
      sessionName: '',
      hardwareAddresses: [],
      fingerprint: hubOptions.fingerprint,
    })
    guests.set(machine.connection, { machine, link, have })
    carry(hub.connected(machine.connection, '10.0.0.1', queue.nowMs))
  }
  /** As if its plug were pulled: the server isn't told. */
  const turnOff = (machine: Machine) => {
    machine.connection = ''
    machine.receiver = null
  }
  const tick = () => {
    carry(timed(() => hub.tick(queue.nowMs)))
    serve()
    queue.at(queue.nowMs + 200, tick)
  }

  const deliver = (machine: Machine, bytes: Uint8Array) => {
    const { receiver } = machine
    if (receiver === null) return
    receiver.datagram(bytes, queue.nowMs)
    if (receiver.wakeMs < machine.wakesMs) {
      if (receiver.wakeMs <= queue.nowMs) settle(machine)
      else wake(machine)
    }
  }
  const multicast = (bytes: Uint8Array) => {
    const sentMs = queue.nowMs
    const whole = bytes.length + networkHeaderBytes
    const inTime: Machine[] = []
    for (const machine of machines) {
      if (machine.receiver === null) continue
      for (const atMs of machine.link.arrivals(sentMs, whole))
        if (atMs === sentMs + latencyMs) inTime.push(machine)
        else queue.at(atMs, () => deliver(machine, bytes))
    }
    queue.at(sentMs + latencyMs, () => {
      for (const machine of inTime) deliver(machine, bytes)
    })
  }

  let servesMs = Infinity
  const serve = () => {
    for (;;) {
      const step = timed(() => sender.next(queue.nowMs))
      if (step.kind === 'wait') {
        const atMs = Math.max(step.untilMs, queue.nowMs + 0.01)
        if (servesMs > queue.nowMs && servesMs <= atMs) return
        servesMs = atMs
        queue.at(atMs, () => {
          if (servesMs !== atMs) return
          servesMs = Infinity
          serve()
        })
        return
      }
      sent[step.kind === 'symbol' ? 'symbols' : 'positions'] += 1
      const bytes = timed(() =>
        coder.encode(
          step.kind === 'symbol' ? { ...step, payload: symbols.symbol(step.section, step.number) } : step,
        ),
      )
      times.push(queue.nowMs)
      lastDatagrams.push(bytes)
      if (lastDatagrams.length > 64) lastDatagrams.shift()
      multicast(bytes)
    }
  }

  const lab: Lab = {
    queue,
    sender,
    coder,
    spray: multicast,
    sent,
    times,
    lastDatagrams,
    imageTimeMs,
    datagramBytes,
    dataRate,
    senderCpuMs: () => senderCpu,
    results: () =>
      machines.map(({ joinedMs, finishedMs, disk, receiver, writes }) => ({
        imageTimes: finishedMs === null ? null : (finishedMs - joinedMs!) / imageTimeMs,
        isIdentical: Buffer.compare(disk, image) === 0 && writes.every((count) => count === 1),
        receiver: receiver!,
      })),
  }

  for (const machine of machines) {
    const { joinMs = 0, vanishMs, rebootMs } = machine.options
    queue.at(joinMs, () => join(machine, null))
    if (vanishMs !== undefined) queue.at(vanishMs, () => turnOff(machine))
    if (rebootMs !== undefined) {
      queue.at(rebootMs[0], () => {
        const have = machine.receiver!.progress().done
        turnOff(machine)
        queue.at(queue.nowMs + rebootMs[1], () => join(machine, have))
      })
    }
  }
  queue.at(0, tick)
  options.script?.(lab)
  const waitedFor = machines.filter(({ options }) => options.vanishMs === undefined)
  let waiting = waitedFor.length
  queue.run({
    untilMs: imageTimeMs * (options.limit ?? 6),
    isOver() {
      while (waiting > 0 && waitedFor[waiting - 1]!.finishedMs !== null) waiting -= 1
      return waiting === 0
    },
  })
  return lab
}

/** A datagram for a thousand clients is the same for all of them, so it is decoded once. */
function withMemory(coder: DatagramCoder): DatagramCoder {
  let last: Uint8Array | null = null
  let decoded: Datagram = { kind: 'rejected', why: 'foreign' }
  return {
    encode: (datagram) => coder.encode(datagram),
    decode(bytes) {
      if (bytes !== last) decoded = coder.decode(bytes)
      last = bytes
      return decoded
    },
  }
}
