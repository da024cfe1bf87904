/** Streams of this machine, told on the interfaces they are sent on, as long as and whenever those are there. */
import { hostname } from 'node:os'
import {
  allInterfaces,
  interfacesNow,
  openMdns,
  type LocalInterface,
  type MdnsSocket,
  type OpenMdns,
} from './mdns-socket.ts'
import { createResponder, type Responder } from './responder.ts'
import { hostName, type Advertisement } from './stream-records.ts'

export interface Advertiser extends AsyncDisposable {
  /** These from now on; what is no longer among them is taken back. */
  set(advertisements: readonly Advertisement[]): void
  /** As they are called on the network, of those that have their name for sure: a name that was taken got a number. */
  names(): readonly string[]
}

export interface AdvertiserOptions {
  /** This machine's name. */
  readonly host?: string
  /** How to reach an interface's network. */
  readonly open?: OpenMdns
  readonly interfaces?: () => readonly LocalInterface[]
}

/** An adapter that was pulled and put back has lost its membership without a word. */
const lookEveryMs = 2000

/** Nothing is opened before there is something to tell. */
export const createAdvertiser = (options: AdvertiserOptions = {}): Advertiser => new MdnsAdvertiser(options)

interface Told extends AsyncDisposable {
  readonly responder: Responder
}

class MdnsAdvertiser implements Advertiser {
  readonly #host: string
  readonly #open: OpenMdns
  readonly #interfaces: () => readonly LocalInterface[]
  /** By the address of an interface. */
  #wanted: ReadonlyMap<string, readonly Advertisement[]> = new Map()
  readonly #told = new Map<string, Told>()
  readonly #closing = new Set<PromiseLike<void>>()
  #known: readonly LocalInterface[] = []
  #looking: NodeJS.Timeout | null = null

  constructor({ host = hostname(), open = openMdns, interfaces = allInterfaces }: AdvertiserOptions) {
    this.#host = host
    this.#open = open
    this.#interfaces = interfaces
  }

  set(advertisements: readonly Advertisement[]): void {
    this.#wanted = Map.groupBy(advertisements, ({ address }) => address)
    if (this.#wanted.size === 0) this.#rest()
    else this.#looking ??= setInterval(() => this.#tell(), lookEveryMs).unref()
    this.#tell()
  }

  names(): readonly string[] {
    return [...this.#told.values()].flatMap(({ responder }) => responder.names())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.set([])
    await Promise.all(this.#closing)
  }

  #rest(): void {
    if (this.#looking !== null) clearInterval(this.#looking)
    this.#looking = null
  }

  /** On the interfaces that are there now. */
  #tell(): void {
    this.#known = interfacesNow(this.#interfaces, this.#known)
    const there = new Map(this.#known.map((each) => [each.address, each]))
    for (const [address, told] of this.#told)
      if (!this.#wanted.has(address) || !there.has(address)) {
        this.#told.delete(address)
        this.#close(told)
      }
    for (const [address, those] of this.#wanted) {
      const here = there.get(address)
      if (here === undefined) continue
      const told = this.#told.get(address) ?? this.#tellOn(here)
      this.#told.set(address, told)
      told.responder.set(those)
    }
  }

  #close(told: Told): void {
    const closed = told[Symbol.asyncDispose]().then(() => void this.#closing.delete(closed))
    this.#closing.add(closed)
  }

  #tellOn({ address, reaches }: LocalInterface): Told {
    const socket: MdnsSocket = this.#open(address, (message, from) => responder.hear(message, from))
    const responder: Responder = createResponder({
      send: (message, to) => socket.send(message, to),
      isNear: reaches,
      host: hostName(this.#host),
      chance: Math.random,
    })
    return {
      responder,
      async [Symbol.asyncDispose]() {
        responder[Symbol.dispose]()
        // What it took back has to get out.
        await new Promise((resolve) => {
          setTimeout(resolve, 50)
        })
        await socket[Symbol.asyncDispose]()
      },
    }
  }
}
