import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { browseStreams, createAdvertiser, type Advertisement } from '#engine/multicast/discovery'
import type { FoundStream } from '#shared/model'
import {
  decodeDns,
  encodeDns,
  recordTypes,
  type DnsMessage,
  type DnsRecord,
} from '#src/main/engine/multicast/discovery/dns-message.ts'
import { mdnsPort, type OpenMdns, type Sender } from '#src/main/engine/multicast/discovery/mdns-socket.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const service = ['_asr', '_tcp', 'local']

/** One network: everybody hears every message, the one who said it, too. */
function newNetwork(latencyMs = 0) {
  const ears = new Map<object, (bytes: Uint8Array, from: Sender) => void>()
  const said: { readonly message: DnsMessage; readonly to: Sender | null }[] = []
  const say = (message: DnsMessage, from: Sender, to: Sender | null = null) => {
    said.push({ message, to })
    if (to !== null) return
    const bytes = encodeDns(message)
    // As `openMdns` has it.
    if (bytes.length > 9000) return
    const arrive = () => {
      for (const ear of ears.values()) ear(bytes, from)
    }
    if (latencyMs === 0) arrive()
    else setTimeout(arrive, latencyMs)
  }
  const open: OpenMdns = (address, hear) => {
    const me = {}
    ears.set(me, (bytes, from) => hear(decodeDns(bytes), from))
    return {
      send: (message, to) => say(message, { address, port: mdnsPort }, to ?? null),
      async [Symbol.asyncDispose]() {
        ears.delete(me)
      },
    }
  }
  return { open, say, said, cut: () => ears.clear() }
}
type Network = ReturnType<typeof newNetwork>

const stream = (session: string, options: Partial<Advertisement> = {}): Advertisement => ({
  session,
  imageName: `${session}.dmg`,
  sizeBytes: 5_000_000_000,
  fingerprint: 'ab'.repeat(32),
  address: '10.0.0.1',
  port: 7800,
  ...options,
})

const near = (address: string) => address.startsWith('10.0.0.')

interface Advertising {
  readonly host?: string
  /** Addresses of this machine, as they are by now. */
  readonly here?: readonly string[]
}

function advertise(
  network: Network,
  streams: readonly Advertisement[],
  { host = 'server.example.org', here = ['10.0.0.1', '10.0.0.2', '10.0.0.3'] }: Advertising = {},
) {
  const advertiser = createAdvertiser({
    host,
    open: network.open,
    interfaces: () => here.map((address) => ({ address, reaches: near })),
  })
  advertiser.set(streams)
  return advertiser
}

function browse(network: Network, probe: (address: string, port: number) => boolean = () => true) {
  const heard: (readonly FoundStream[])[] = []
  const tried: string[] = []
  const browser = browseStreams((streams) => heard.push(streams), {
    open: network.open,
    interfaces: () => [{ address: '10.0.0.2', reaches: near }],
    async probe(address, port) {
      tried.push(`${address}:${port}`)
      return probe(address, port)
    },
  })
  onTestFinished(async () => await browser[Symbol.asyncDispose]())
  return { heard, tried, names: () => heard.at(-1)?.map(({ name }) => name) ?? [] }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('a stream that is advertised', () => {
  test('is named whole, however long its name may be', async () => {
    const network = newNetwork()
    const name = `${'\u{1F600}'.repeat(61)}abc`
    advertise(network, [stream(name)])
    await pass(3000)
    const { heard } = browse(network)
    await pass(1000)
    expect(heard.at(-1)).toMatchObject([{ session: name }])
  })

  test('is found, with everything that is told of it', async () => {
    const network = newNetwork()
    advertise(network, [stream('Größe 10.6, lab')])
    await pass(3000)
    const { heard } = browse(network)
    await pass(1000)
    expect(heard).toEqual([
      [
        {
          name: 'Größe 10.6, lab',
          host: 'server.local',
          address: '10.0.0.1',
          port: 7800,
          session: 'Größe 10.6, lab',
          imageName: 'Größe 10.6, lab.dmg',
          sizeBytes: 5_000_000_000,
          fingerprint: 'ab'.repeat(32),
          locator: `asr://10.0.0.1/Gr%C3%B6%C3%9Fe%2010.6%2C%20lab#${'ab'.repeat(32)}`,
        },
      ],
    ])
  })

  test('is found by who looked before it was there, and gone when it is taken back', async () => {
    const network = newNetwork()
    const { names } = browse(network)
    await pass(2000)
    const advertiser = advertise(network, [stream('a'), stream('b', { port: 7801 })])
    await pass(3000)
    expect(names()).toEqual(['a', 'b'])
    advertiser.set([stream('b', { port: 7801 })])
    await pass(100)
    expect(names()).toEqual(['b'])
    const gone = advertiser[Symbol.asyncDispose]()
    await pass(100)
    await gone
    expect(names()).toEqual([])
  })

  test('gets another name when its own is taken, and says which', async () => {
    const network = newNetwork()
    const first = advertise(network, [stream('lab')])
    await pass(3000)
    const second = advertise(network, [stream('lab', { address: '10.0.0.3' })], { host: 'other' })
    await pass(3000)
    expect([first.names(), second.names()]).toEqual([['lab'], ['lab (2)']])
    const { heard } = browse(network)
    await pass(1000)
    expect(heard.at(-1)).toMatchObject([
      { name: 'lab', session: 'lab', address: '10.0.0.1' },
      { name: 'lab (2)', session: 'lab', address: '10.0.0.3' },
    ])
  })

  test('keeps its name whatever is said of it in another network, or not from where such is said', async () => {
    const network = newNetwork()
    const advertiser = advertise(network, [stream('lab')])
    await pass(3000)
    const claim = response(location('lab', 7999))
    network.say(claim, { address: '192.0.2.7', port: mdnsPort })
    network.say(claim, { address: '10.0.0.9', port: 4000 })
    await pass(3000)
    expect(advertiser.names()).toEqual(['lab'])
  })

  test('goes on where the system cannot say what interfaces there are', async () => {
    const network = newNetwork()
    let isAsked = false
    const advertiser = createAdvertiser({
      host: 'server',
      open: network.open,
      interfaces() {
        if (isAsked) throw new Error('EMFILE')
        isAsked = true
        return [{ address: '10.0.0.1', reaches: near }]
      },
    })
    advertiser.set([stream('lab')])
    await pass(9000)
    expect(advertiser.names()).toEqual(['lab'])
  })

  test('agrees with one that wants the same name at the same time', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    onTestFinished(() => void vi.restoreAllMocks())
    const network = newNetwork(5)
    const both = ['a', 'b'].map((host, index) =>
      advertise(network, [stream('lab', { address: `10.0.0.${index + 1}` })], { host }),
    )
    await pass(6000)
    expect(both.flatMap((each) => each.names()).toSorted()).toEqual(['lab', 'lab (2)'])
    // Never did both say at once that it is theirs.
    const claims = network.said
      .filter(({ message }) => message.isResponse)
      .flatMap(({ message }) => message.answers)
      .flatMap(({ name, data }) => (data.kind === 'srv' && name[0] === 'lab' ? [data.target[0]] : []))
    expect(new Set(claims).size).toBe(1)
  })

  test('is told apart from another of this machine whose long name begins as its does', async () => {
    const network = newNetwork()
    const long = 'ü'.repeat(40)
    const advertiser = advertise(network, [stream(`${long}1`), stream(`${long}2`)])
    await pass(4000)
    expect(advertiser.names()).toEqual(['ü'.repeat(31), `${'ü'.repeat(29)} (2)`])
  })

  test.each([40, 150])('is found among %i of one server, in messages that fit a frame', async (count) => {
    const network = newNetwork()
    const names = Array.from({ length: count }, (_, index) => `Room ${index}`)
    advertise(
      network,
      names.map((name) => stream(name)),
    )
    await pass(4000)
    network.said.length = 0
    const found = browse(network)
    await pass(2000)
    expect(found.names().toSorted()).toEqual(names.toSorted())
    const sizes = network.said.map(({ message }) => encodeDns(message).length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1472)
  })

  test('is told to who asks from another port in messages that may be sent', async () => {
    const network = newNetwork()
    const names = Array.from({ length: 40 }, (_, index) => `Room ${index}`)
    advertise(
      network,
      names.map((name) => stream(name)),
    )
    await pass(4000)
    network.said.length = 0
    const questions = [{ name: service, type: recordTypes.ptr }]
    network.say(query({ id: 77, questions }), { address: '10.0.0.9', port: 4000 })
    const told = network.said.filter(({ to }) => to !== null).map(({ message }) => message)
    expect(told.flatMap(({ answers }) => answers)).toHaveLength(40)
    expect(Math.max(...told.map((message) => encodeDns(message).length))).toBeLessThanOrEqual(9000 - 28)
  })

  test('is told once to who asks for it many times, and not to who asks from another network', async () => {
    const network = newNetwork()
    advertise(network, [stream('lab')])
    await pass(4000)
    network.said.length = 0
    const question = { name: service, type: recordTypes.ptr }
    const questions = Array.from({ length: 16 }, () => question)
    network.say(query({ questions }), { address: '10.0.0.9', port: 4000 })
    network.say(query({ questions }), { address: '192.0.2.7', port: 4000 })
    const told = network.said.filter(({ to }) => to !== null)
    expect(told.map(({ to }) => to?.address)).toEqual(['10.0.0.9'])
    expect(told[0]?.message.answers).toHaveLength(1)
  })

  test('is told again on an adapter that was pulled and put back', async () => {
    const network = newNetwork()
    const here = ['10.0.0.1']
    const advertiser = advertise(network, [stream('lab')], { here })
    await pass(4000)
    network.cut()
    here.length = 0
    await pass(3000)
    expect(advertiser.names()).toEqual([])
    here.push('10.0.0.1')
    network.said.length = 0
    await pass(6000)
    expect(advertiser.names()).toEqual(['lab'])
    expect(network.said.filter(({ message }) => message.isResponse)).not.toEqual([])
    advertiser.set([])
    network.said.length = 0
    await pass(10_000)
    expect(network.said).toEqual([])
  })

  test('is told to who asks from another port, there and for a short time', async () => {
    const network = newNetwork()
    advertise(network, [stream('lab')])
    await pass(3000)
    network.said.length = 0
    const question = { name: ['_ASR', '_tcp', 'local'], type: recordTypes.ptr }
    network.say(query({ id: 77, questions: [question] }), { address: '10.0.0.9', port: 4000 })
    expect(network.said.at(-1)).toMatchObject({
      to: { address: '10.0.0.9', port: 4000 },
      message: { id: 77, isResponse: true, questions: [question], answers: [{ ttlSeconds: 10 }] },
    })
  })

  test('is not told again to who knows, nor to everyone each time that somebody asks', async () => {
    const network = newNetwork()
    advertise(network, [stream('lab')])
    await pass(3000)
    const answers = () => network.said.filter(({ message }) => message.isResponse).length
    const before = answers()
    const questions = [{ name: service, type: recordTypes.ptr }]
    network.say(query({ questions, answers: [pointer('lab', 100)] }), { address: '10.0.0.9', port: mdnsPort })
    await pass(500)
    expect(answers()).toBe(before)
    for (let times = 0; times < 50; times++)
      network.say(query({ questions }), { address: '10.0.0.9', port: mdnsPort })
    await pass(500)
    expect(answers()).toBe(before + 1)
  })
})

const query = (options: Partial<DnsMessage>): DnsMessage => ({
  id: 0,
  isResponse: false,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
  ...options,
})
const pointer = (label: string, ttlSeconds = 120): DnsRecord => ({
  name: service,
  isUnique: false,
  ttlSeconds,
  data: { kind: 'ptr', target: [label, ...service] },
})
const location = (label: string, port = 7800): DnsRecord => ({
  name: [label, ...service],
  isUnique: true,
  ttlSeconds: 120,
  data: { kind: 'srv', port, target: ['mac', 'local'] },
})
const text = (label: string, ...strings: string[]): DnsRecord => ({
  name: [label, ...service],
  isUnique: true,
  ttlSeconds: 120,
  data: { kind: 'txt', strings: strings.map((string) => Uint8Array.from(Buffer.from(string))) },
})
const address = (ip = '10.0.0.5'): DnsRecord => ({
  name: ['mac', 'local'],
  isUnique: true,
  ttlSeconds: 120,
  data: { kind: 'a', address: ip },
})
const from: Sender = { address: '10.0.0.5', port: mdnsPort }
const response = (...answers: DnsRecord[]): DnsMessage => query({ isResponse: true, answers })

describe('who looks for streams', () => {
  test('asks for what an answer lacks', async () => {
    const network = newNetwork()
    const { names } = browse(network)
    network.say(response(pointer('lab')), from)
    expect(network.said.at(-1)?.message.questions.map(({ type }) => type)).toEqual([33, 16])
    network.say(response(location('lab'), text('lab')), from)
    await pass(5000)
    network.say(response(pointer('lab')), from)
    expect(network.said.at(-1)?.message.questions).toEqual([{ name: ['mac', 'local'], type: 1 }])
    network.say(response(address()), from)
    await pass(1)
    expect(names()).toEqual(['lab'])
  })

  test('shows a stream only while its server takes connections', async () => {
    const network = newNetwork()
    let isThere = false
    const { names, heard } = browse(network, () => isThere)
    const tell = () =>
      network.say(response(pointer('lab', 4500), location('lab'), text('lab'), address()), from)
    tell()
    await pass(1000)
    expect(heard).toEqual([])
    isThere = true
    await pass(10_000)
    expect(names()).toEqual(['lab'])
    isThere = false
    await pass(10_000)
    expect(names()).toEqual(['lab'])
    await pass(10_000)
    expect(names()).toEqual([])
    isThere = true
    await pass(10_000)
    expect(names()).toEqual(['lab'])
  })

  test('forgets what is not renewed', async () => {
    const network = newNetwork()
    const { names } = browse(network)
    network.say(response(pointer('lab', 30), location('lab'), text('lab'), address()), from)
    await pass(29_000)
    expect(names()).toEqual(['lab'])
    await pass(12_000)
    expect(names()).toEqual([])
  })

  test('takes what it can of what strangers say of themselves', async () => {
    const network = newNetwork()
    const { heard } = browse(network)
    const strings = [
      'SESSION=first',
      'session=second',
      'image=a\u001b[2J.dmg',
      'size=-1',
      'fingerprint=xyz',
      '=',
      'flag',
    ]
    network.say(
      response(pointer('lab\u202e'), location('lab\u202e'), text('lab\u202e', ...strings), address()),
      from,
    )
    await pass(1)
    expect(heard.at(-1)).toEqual([
      {
        name: 'lab?',
        host: 'mac.local',
        address: '10.0.0.5',
        port: 7800,
        session: 'first',
        imageName: 'a?[2J.dmg',
        sizeBytes: null,
        fingerprint: null,
        locator: 'asr://10.0.0.5/first',
      },
    ])
  })

  test('believes and tries nobody outside its network', async () => {
    const network = newNetwork()
    const { tried, heard } = browse(network)
    const whole = [pointer('lab'), location('lab'), text('lab')]
    network.say(response(...whole, address('192.0.2.1')), from)
    network.say(response(...whole, address()), { address: '192.0.2.7', port: mdnsPort })
    network.say(response(...whole, address()), { address: '10.0.0.5', port: 4000 })
    await pass(30_000)
    expect([tried, heard]).toEqual([[], []])
  })

  test('bears a flood of names, and answers it with little', async () => {
    const network = newNetwork()
    const { heard } = browse(network)
    for (let round = 0; round < 100; round++)
      network.say(response(...Array.from({ length: 100 }, (_, index) => pointer(`${round}-${index}`))), from)
    const questions = network.said.filter(({ message }) => !message.isResponse).length
    expect(questions).toBeLessThanOrEqual(256)
    await pass(1000)
    expect(heard).toEqual([])
  })

  test('tries a server once, however often its streams are withdrawn and told of again', async () => {
    const network = newNetwork()
    const { tried, names } = browse(network)
    const told = ['a', 'b'].flatMap((name) => [pointer(name, 0), pointer(name), location(name), text(name)])
    for (let round = 0; round < 100; round++) {
      network.say(response(...told, address()), from)
      if (round % 10 === 0) await pass(1)
    }
    expect(tried).toEqual(['10.0.0.5:7800'])
    expect(names()).toEqual(['a', 'b'])
    await pass(10_000)
    expect(tried).toEqual(['10.0.0.5:7800', '10.0.0.5:7800'])
  })

  test('tries few ports of all that it is told of, and asks little for names that come and go', async () => {
    const network = newNetwork()
    const { tried } = browse(network)
    for (let port = 1; port <= 1000; port++) {
      network.say(
        response(pointer('lab', 0), pointer('lab'), location('lab', port), text('lab'), address()),
        from,
      )
      network.say(response(pointer(`n${port}`), pointer(`n${port}`, 0), pointer(`m${port}`)), from)
      network.say(response(pointer(`m${port}`, 0)), from)
      await pass(1)
    }
    expect(tried.length).toBeLessThanOrEqual(256)
    expect(network.said.filter(({ message }) => !message.isResponse).length).toBeLessThanOrEqual(260)
    // Who comes then is tried a little later.
    network.say(response(pointer('new'), location('new', 7800), text('new'), address()), from)
    await pass(10_000)
    expect(tried).toContain('10.0.0.5:7800')
  })
})
