/** Which interface multicast is received on: named by the user, or the one that leads to the server. */
import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { NetworkError } from '#shared/errors'

export interface ReceiveInterface {
  readonly name: string
  /** IPv4: what a membership is asked for by. Null: there is none, so that no multicast can come. */
  readonly address: string | null
}

type Interfaces = ReturnType<typeof networkInterfaces>

/**
 * `wanted`: a name or an IPv4 address; null: the one that has `localAddress`, or any of its addresses if that is an IPv6 one. Where
 * only IPv6 leads to the server, there is nothing to choose: everything comes over the connection then.
 * Throws NetworkError E_MC_IFACE.
 */
export function chooseInterface(
  wanted: string | null,
  localAddress: string,
  interfaces: Interfaces = networkInterfaces(),
): ReceiveInterface {
  const [local = '', zone = null] = localAddress.split('%')
  // Such an address may be that of several; a zone that is a number is the system's own affair.
  const isElsewhere = (name: string) =>
    wanted === null && zone !== null && zone in interfaces && name !== zone
  for (const [name, addresses = []] of Object.entries(interfaces)) {
    const asked = wanted ?? local
    const isIt = name === wanted || addresses.some(({ address }) => address === asked)
    if (!isIt || isElsewhere(name)) continue
    const exact = isIPv4(asked) ? asked : addresses.find(({ family }) => family === 'IPv4')?.address
    if (exact !== undefined) return { name, address: exact }
    if (wanted !== null) throw noInterface('no-address', name, interfaces)
    return { name, address: null }
  }
  // An address that no interface shows (some tunnels, containers): the system knows which one it means.
  if (wanted === null && isIPv4(local)) return { name: local, address: local }
  throw noInterface('unknown', wanted ?? local, interfaces)
}

/**
 * The address that multicast is received on by now, where `chosen` was chosen before: it may have got another one, or one at all.
 * Throws NetworkError E_MC_IFACE.
 */
export function addressNow(
  wanted: string | null,
  { name }: ReceiveInterface,
  localAddress: string,
  interfaces: Interfaces = networkInterfaces(),
): string | null {
  try {
    const found = chooseInterface(wanted, localAddress, interfaces)
    // An address that no interface shows is the system's affair only where none ever did.
    if (found.name in interfaces || !(name in interfaces)) return found.address
  } catch (error) {
    NetworkError.accept(error)
  }
  // One that was chosen by an address that it doesn't have any more is still the same by its name.
  return chooseInterface(name, localAddress, interfaces).address
}

const noInterface = (reason: string, name: string, interfaces: Interfaces) =>
  new NetworkError('E_MC_IFACE', `no interface ${name} with an IPv4 address`, {
    details: {
      address: name,
      phase: 'interface',
      interface: name,
      reason,
      known: Object.entries(interfaces).flatMap(([known, addresses]) =>
        addresses?.some(({ family }) => family === 'IPv4') === true ? [known] : [],
      ),
    },
  })
