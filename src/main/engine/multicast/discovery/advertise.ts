/** Streams of this machine, told on the interfaces they are sent on. */
import { hostname } from 'node:os'
import { openMdns, type MdnsSocket, type OpenMdns } from './mdns-socket.ts'
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
}

interface Told extends AsyncDisposable {
  readonly responder: Responder
}

/** Nothing is opened before there is something to tell. */
export function createAdvertiser({ host = hostname(), open = openMdns }: AdvertiserOptions = {}): Advertiser {
  const interfaces = new Map<string, Told>()
  const closing: PromiseLike<void>[] = []

  const tell = (address: string): Told => {
    const socket: MdnsSocket = open(address, (message, from) => responder.hear(message, from))
    const responder: Responder = createResponder({
      send: (message, to) => socket.send(message, to),
      host: hostName(host),
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

  return {
    set(advertisements) {
      const wanted = new Map<string, Advertisement[]>()
      for (const each of advertisements) wanted.set(each.address, [...(wanted.get(each.address) ?? []), each])
      for (const [address, told] of interfaces)
        if (!wanted.has(address)) {
          interfaces.delete(address)
          closing.push(told[Symbol.asyncDispose]())
        }
      for (const [address, those] of wanted) {
        const told = interfaces.get(address) ?? tell(address)
        interfaces.set(address, told)
        told.responder.set(those)
      }
    },

    names: () => [...interfaces.values()].flatMap(({ responder }) => responder.names()),

    async [Symbol.asyncDispose]() {
      const all = [...interfaces.values()].map((told) => told[Symbol.asyncDispose]())
      interfaces.clear()
      await Promise.all([...closing, ...all])
    },
  }
}
