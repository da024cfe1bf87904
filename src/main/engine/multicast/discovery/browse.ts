/**
 * Streams that announce themselves on this machine's networks. A stream is there when its records are complete, and its server
 * takes connections at the port they name; it is gone when it says so, when its records were not renewed, or when
 * its server doesn't answer any more: one that was killed says nothing.
 */
import { connect } from 'node:net'
import type { FoundStream } from '#shared/model'
import { nameKey, recordTypes, type DnsMessage, type DnsName, type DnsRecord } from './dns-message.ts'
import {
  interfacesNow,
  localInterfaces,
  mdnsPort,
  openMdns,
  type LocalInterface,
  type MdnsSocket,
  type OpenMdns,
  type Sender,
} from './mdns-socket.ts'
import { readService, serviceName } from './stream-records.ts'

export interface BrowseOptions {
  readonly open?: OpenMdns
  readonly interfaces?: () => readonly LocalInterface[]
  /** Whether somebody takes connections there. */
  readonly probe?: (address: string, port: number, signal: AbortSignal) => Promise<boolean>
  /** How often servers are tried, and whether interfaces are others than before. */
  readonly probeEveryMs?: number
}

/** Who sends more names than that isn't telling of streams. */
const mostServices = 256
/** In the time in which each server is tried once. Who tells of ever new ones doesn't make this machine knock everywhere. */
const mostTries = 256
/** Names whose records are asked for in that time. */
const mostAsked = 256
/** Of another's records, at most so much is believed. */
const mostTtlSeconds = 4500
/** Asked after so many ms, then each minute. */
const askMs = [0, 1000, 3000, 9000, 27_000] as const
const askEveryMs = 60_000
/** For what a service lacks. */
const askAgainMs = 5000
/** A server that doesn't answer so often is gone. */
const mostFailures = 2

interface Service {
  readonly label: string
  readonly name: DnsName
  expiresMs: number
  location: { readonly port: number; readonly host: DnsName; readonly hostKey: string } | null
  text: readonly Uint8Array[] | null
  /** Who told of it: where it probably is. */
  from: string
}

/** An address and a port that services are at. Outlives them for a while, so that who tells of one again and again has it tried no more often. */
interface Server {
  readonly address: string
  readonly port: number
  answers: 'unknown' | 'yes' | 'no'
  failures: number
  isProbing: boolean
}

/** Look for streams until disposed; `listener` hears all of them at each change. */
export function browseStreams(
  listener: (streams: readonly FoundStream[]) => void,
  options: BrowseOptions = {},
): AsyncDisposable {
  const browser = new Browser(listener, options)
  browser.start()
  return browser
}

class Browser implements AsyncDisposable {
  readonly #listener: (streams: readonly FoundStream[]) => void
  readonly #open: OpenMdns
  readonly #interfaces: () => readonly LocalInterface[]
  readonly #probe: NonNullable<BrowseOptions['probe']>
  readonly #probeEveryMs: number
  readonly #stop = new AbortController()
  readonly #sockets = new Map<string, MdnsSocket>()
  readonly #services = new Map<string, Service>()
  /** By address and port: those that were tried. */
  readonly #servers = new Map<string, Server>()
  /** When records were last asked for, by the key of the service's name. */
  readonly #asked = new Map<string, number>()
  /** Of `mostTries`. */
  #tries = 0
  /** Addresses of hosts, by the key of their names. */
  readonly #addresses = new Map<string, Set<string>>()
  #known: readonly LocalInterface[] = []
  #timers: NodeJS.Timeout[] = []
  #told = '[]'

  constructor(listener: (streams: readonly FoundStream[]) => void, options: BrowseOptions) {
    this.#listener = listener
    this.#open = options.open ?? openMdns
    this.#interfaces = options.interfaces ?? localInterfaces
    this.#probe = options.probe ?? takesConnections
    this.#probeEveryMs = options.probeEveryMs ?? 10_000
  }

  start(): void {
    this.#openSockets()
    this.#timers = [
      ...askMs.map((ms) => setTimeout(() => this.#ask(), ms + 100)),
      setInterval(() => this.#ask(), askEveryMs),
      setInterval(() => this.#tend(), this.#probeEveryMs),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all([...this.#sockets.values()].map((socket) => socket[Symbol.asyncDispose]()))
  }

  /** A laptop's cable is plugged in, a network comes up: such interfaces are looked at, too. */
  #openSockets(): boolean {
    this.#known = interfacesNow(this.#interfaces, this.#known)
    const addresses = new Set(this.#known.map(({ address }) => address))
    for (const [address, socket] of this.#sockets)
      if (!addresses.has(address)) {
        this.#sockets.delete(address)
        void socket[Symbol.asyncDispose]()
      }
    const fresh = [...addresses].filter((address) => !this.#sockets.has(address))
    for (const address of fresh)
      this.#sockets.set(
        address,
        this.#open(address, (message, from) => this.#hear(message, from)),
      )
    return fresh.length > 0
  }

  #ask(): void {
    this.#query([{ name: serviceName, type: recordTypes.ptr }])
  }

  #query(questions: DnsMessage['questions']): void {
    const message = { id: 0, isResponse: false, questions, answers: [], authorities: [], additionals: [] }
    for (const socket of this.#sockets.values()) socket.send(message)
  }

  /** Whatever comes in, little goes out. */
  #askFor(service: Service, questions: DnsMessage['questions']): void {
    const key = nameKey(service.name)
    const nowMs = performance.now()
    const askedMs = this.#asked.get(key)
    if (askedMs === undefined ? this.#asked.size >= mostAsked : nowMs - askedMs < askAgainMs) return
    this.#asked.set(key, nowMs)
    this.#query(questions)
  }

  #hear(message: DnsMessage, from: Sender): void {
    // RFC 6762 §11: answers come from the mDNS port of somebody in the same network.
    const isNear = from.port === mdnsPort && this.#isNear(from.address)
    if (!message.isResponse || !isNear || this.#stop.signal.aborted) return
    const records = [...message.answers, ...message.additionals]
    for (const record of records) if (record.data.kind === 'ptr') this.#takePointer(record, from)
    for (const record of records) this.#takeFacts(record, from)
    this.#completeAll()
    this.#tell()
  }

  #isNear(address: string): boolean {
    return this.#known.some(({ reaches }) => reaches(address))
  }

  #takePointer({ name, data, ttlSeconds }: DnsRecord, from: Sender): void {
    if (data.kind !== 'ptr' || nameKey(name) !== nameKey(serviceName)) return
    const [label, ...rest] = data.target
    if (label === undefined || label === '' || nameKey(rest) !== nameKey(serviceName)) return
    const key = nameKey(data.target)
    if (ttlSeconds === 0) return void this.#services.delete(key)
    const known = this.#services.get(key)
    if (known === undefined && this.#services.size >= mostServices) return
    const service: Service = known ?? {
      label,
      name: data.target,
      expiresMs: 0,
      location: null,
      text: null,
      from: from.address,
    }
    service.expiresMs = performance.now() + Math.min(ttlSeconds, mostTtlSeconds) * 1000
    this.#services.set(key, service)
  }

  #takeFacts({ name, data, ttlSeconds }: DnsRecord, from: Sender): void {
    const service = this.#services.get(nameKey(name))
    if (data.kind === 'a' && this.#isNear(data.address)) {
      const key = nameKey(name)
      const isWanted = this.#services.values().some(({ location }) => location?.hostKey === key)
      const addresses = this.#addresses.get(key) ?? new Set()
      if (ttlSeconds === 0) addresses.delete(data.address)
      // A host isn't known yet when its address comes in the same message before its service.
      else if (addresses.size < 16 && (isWanted || this.#addresses.size < mostServices))
        this.#addresses.set(key, addresses.add(data.address))
    } else if (service !== undefined && data.kind === 'srv' && ttlSeconds > 0) {
      service.location = { port: data.port, host: data.target, hostKey: nameKey(data.target) }
      service.from = from.address
    } else if (service !== undefined && data.kind === 'txt' && ttlSeconds > 0) service.text = data.strings
  }

  /** Where it is: where it was told from, if its host has that address. */
  #addressOf({ location, from }: Service): string | null {
    const addresses = this.#addresses.get(location?.hostKey ?? '')
    if (addresses === undefined) return null
    return addresses.has(from) ? from : (addresses.values().next().value ?? null)
  }

  /** What is known as a whole is tried; what lacks something is asked for. */
  #completeAll(): void {
    for (const service of this.#services.values()) {
      const { location, text, name } = service
      if (location === null || text === null)
        this.#askFor(service, [
          { name, type: recordTypes.srv },
          { name, type: recordTypes.txt },
        ])
      else if (this.#addressOf(service) === null)
        this.#askFor(service, [{ name: location.host, type: recordTypes.a }])
      else this.#tryNew(service)
    }
  }

  /** Null: nothing was tried where it is. */
  #serverOf(service: Service): Server | null {
    return this.#servers.get(`${this.#addressOf(service)}:${service.location?.port}`) ?? null
  }

  /** Once; afterwards it is tried with all others. */
  #tryNew(service: Service): void {
    const address = this.#addressOf(service)
    const port = service.location?.port ?? 0
    if (address === null || port === 0 || this.#tries >= mostTries) return
    if (this.#serverOf(service) !== null) return
    const server: Server = { address, port, answers: 'unknown', failures: 0, isProbing: false }
    this.#servers.set(`${address}:${port}`, server)
    void this.#try(server)
  }

  async #try(server: Server): Promise<void> {
    if (server.isProbing || this.#tries >= mostTries) return
    this.#tries += 1
    server.isProbing = true
    const isThere = await this.#probe(server.address, server.port, this.#stop.signal)
    server.isProbing = false
    if (this.#stop.signal.aborted) return
    server.failures = isThere ? 0 : server.failures + 1
    if (isThere) server.answers = 'yes'
    else if (server.answers === 'unknown' || server.failures >= mostFailures) server.answers = 'no'
    this.#tell()
  }

  #tend(): void {
    if (this.#openSockets()) setTimeout(() => this.#ask(), 100)
    const nowMs = performance.now()
    for (const [key, { expiresMs }] of this.#services) if (expiresMs < nowMs) this.#services.delete(key)
    for (const [key, askedMs] of this.#asked) if (nowMs - askedMs >= askAgainMs) this.#asked.delete(key)
    this.#tries = 0
    const servers = new Set([...this.#services.values()].map((service) => this.#serverOf(service)))
    for (const [key, server] of this.#servers)
      if (servers.has(server)) void this.#try(server)
      else if (!server.isProbing) this.#servers.delete(key)
    for (const service of this.#services.values()) if (service.text !== null) this.#tryNew(service)
    const hosts = new Set([...this.#services.values()].map(({ location }) => location?.hostKey))
    for (const key of this.#addresses.keys()) if (!hosts.has(key)) this.#addresses.delete(key)
    this.#tell()
  }

  #tell(): void {
    const streams = [...this.#services.values()].flatMap((service) => {
      const { label, location, text } = service
      const address = this.#addressOf(service)
      if (location === null || text === null || address === null) return []
      if (this.#serverOf(service)?.answers !== 'yes') return []
      return [readService(label, { host: location.host.join('.'), address, port: location.port }, text)]
    })
    streams.sort((a, b) => a.name.localeCompare(b.name))
    const told = JSON.stringify(streams)
    if (told === this.#told) return
    this.#told = told
    this.#listener(streams)
  }
}

const probeMs = 3000

async function takesConnections(address: string, port: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false
  const socket = connect({ host: address, port })
  const patience = AbortSignal.any([signal, AbortSignal.timeout(probeMs)])
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
      patience.addEventListener('abort', () => resolve(false), { once: true })
    })
  } finally {
    socket.destroy()
  }
}
