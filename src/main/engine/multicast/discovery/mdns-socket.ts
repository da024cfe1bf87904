/** Multicast DNS on one interface: the group's messages, shared with the system's own responder. */
import { createSocket } from 'node:dgram'
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'
import { FormatError } from '#shared/errors'
import { decodeDns, encodeDns, type DnsMessage } from './dns-message.ts'

export interface Sender {
  readonly address: string
  readonly port: number
}

export interface MdnsSocket extends AsyncDisposable {
  /** To the group, or to one that asked from elsewhere. What can't be sent is lost, as on any network. */
  send(message: DnsMessage, to?: Sender): void
}

/** Opens a socket on the interface that has this address. Never throws: where there is no multicast nothing is heard. */
export type OpenMdns = (address: string, hear: (message: DnsMessage, from: Sender) => void) => MdnsSocket

const group = '224.0.0.251'
export const mdnsPort = 5353
/** RFC 6762 §17: no message is longer. */
const mostBytes = 9000

export const openMdns: OpenMdns = (address, hear) => {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  let isReady = false
  const closed = new Promise<void>((resolve) => {
    socket.once('close', resolve)
  })
  let isClosed = false
  const close = () => {
    if (isClosed) return
    isClosed = true
    socket.close()
  }
  // In use by somebody who doesn't share, or an interface that went away: then this one finds nothing.
  socket.on('error', close)
  socket.on('message', (bytes, from) => {
    if (bytes.length > mostBytes) return
    try {
      hear(decodeDns(bytes), from)
    } catch (error) {
      FormatError.accept(error)
    }
  })
  // To all addresses: bound to the interface's own, Linux would deliver nothing that is sent to the group.
  socket.bind({ port: mdnsPort, address: '0.0.0.0', exclusive: false }, () => {
    try {
      socket.addMembership(group, address)
      socket.setMulticastInterface(address)
      socket.setMulticastTTL(255)
      socket.setMulticastLoopback(true)
      isReady = true
    } catch {
      close()
    }
  })
  return {
    send(message, to = { address: group, port: mdnsPort }) {
      if (!isReady || isClosed) return
      socket.send(encodeDns(message), to.port, to.address, () => undefined)
    },
    async [Symbol.asyncDispose]() {
      close()
      await closed
    },
  }
}

export interface LocalInterface {
  readonly address: string
  /** Whether an address lies in its network. */
  readonly reaches: (address: string) => boolean
}

/** As `interfaces` says, or as `before` where the system can't say: it needs a descriptor for that. */
export function interfacesNow(
  interfaces: () => readonly LocalInterface[],
  before: readonly LocalInterface[],
): readonly LocalInterface[] {
  try {
    return interfaces()
  } catch {
    return before
  }
}

/** Interfaces with an IPv4 address. */
export const allInterfaces = (): readonly LocalInterface[] => ipv4Addresses().map(localInterface)

/** Those, but the loopback only where there is nothing else. */
export function localInterfaces(): readonly LocalInterface[] {
  const all = ipv4Addresses()
  const outside = all.filter(({ internal }) => !internal)
  return (outside.length > 0 ? outside : all).map(localInterface)
}

const ipv4Addresses = () =>
  Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter(({ family }) => family === 'IPv4')

function localInterface({ address, netmask }: NetworkInterfaceInfo): LocalInterface {
  const mask = numberOf(netmask)
  return { address, reaches: (other) => (numberOf(other) & mask) === (numberOf(address) & mask) }
}

const numberOf = (address: string): number =>
  address.split('.').reduce((sum, part) => (sum << 8) | Number(part), 0)
