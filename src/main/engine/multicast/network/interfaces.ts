/** The network interfaces of this machine that a stream can be sent on: those with an IPv4 address. */
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { NetworkError } from '#shared/errors'
import type { NetworkInterface } from '#shared/model'

/** What the system is asked; tests answer themselves. */
export interface NetworkFacts {
  readonly addresses: typeof networkInterfaces
  /** The text of a file, or null: `/sys/class/net` and `/proc/net/route` on Linux, nothing elsewhere. */
  readonly readText: (path: string) => Promise<string | null>
}

export const systemNetwork: NetworkFacts = {
  addresses: networkInterfaces,
  readText: (path) => readFile(path, 'utf8').catch(() => null),
}

/** Ethernet's, where the system doesn't tell. */
const usualMtu = 1500

/** The default one first, loopback last; one entry for each address. */
export async function listInterfaces(
  facts: NetworkFacts = systemNetwork,
): Promise<readonly NetworkInterface[]> {
  const defaultName = defaultRoute(await facts.readText('/proc/net/route'))
  const found: { readonly entry: NetworkInterface; readonly isInternal: boolean }[] = []
  for (const [name, addresses = []] of Object.entries(facts.addresses()))
    for (const { family, address, internal } of addresses) {
      if (family !== 'IPv4') continue
      found.push({
        isInternal: internal,
        entry: await describe({ name, address, isInternal: internal }, facts),
      })
    }
  const isKnown = found.some(({ entry }) => entry.name === defaultName)
  const chosen = isKnown ? defaultName : (found.find(({ isInternal }) => !isInternal)?.entry.name ?? null)
  const rank = ({ entry, isInternal }: (typeof found)[number]) =>
    entry.name === chosen ? 0 : isInternal ? 2 : 1
  let isTaken = false
  return found
    .toSorted((a, b) => rank(a) - rank(b))
    .map(({ entry }) => {
      const isDefault = entry.name === chosen && !isTaken
      isTaken ||= isDefault
      return { ...entry, isDefault }
    })
}

/**
 * The interface of that name or address; null: the default one. Throws NetworkError E_MC_IFACE: there is none, it is down, it has
 * no IPv4 address.
 */
export async function findInterface(
  wanted: string | null,
  facts: NetworkFacts = systemNetwork,
): Promise<NetworkInterface> {
  const all = await listInterfaces(facts)
  const fits = ({ name, address }: NetworkInterface) => wanted === name || wanted === address
  const found = all.find((each) => (wanted === null ? each.isDefault : fits(each)))
  if (found?.isUp === true) return found
  const known = all.filter(({ isUp }) => isUp).map(({ name, address }) => `${name} (${address})`)
  const reason = found !== undefined ? 'down' : wanted === null ? 'none' : await whyNot(wanted, facts)
  throw new NetworkError('E_MC_IFACE', `interface ${wanted ?? 'of the default route'}: ${reason}`, {
    details: { address: '', phase: 'interface', interface: wanted, reason, known },
  })
}

async function describe(
  { name, address, isInternal }: { name: string; address: string; isInternal: boolean },
  { readText }: NetworkFacts,
): Promise<NetworkInterface> {
  const base = `/sys/class/net/${name.replace(/:.*$/, '')}`
  const [mtu, speed, state] = await Promise.all(
    ['mtu', 'speed', 'operstate'].map(async (file) => (await readText(`${base}/${file}`))?.trim() ?? null),
  )
  const megabits = Number(speed ?? NaN)
  return {
    name,
    address,
    mtu: /^\d{2,6}$/.test(mtu ?? '') ? Number(mtu) : usualMtu,
    linkBitsPerSecond: !isInternal && megabits > 0 ? megabits * 1_000_000 : null,
    isDefault: false,
    // A cable that is out, the interface with it; `unknown` is what drivers say that don't know.
    isUp: state !== 'down' && state !== 'lowerlayerdown' && state !== 'notpresent',
  }
}

/** Linux: the interface of the route to everywhere that is preferred. */
function defaultRoute(routes: string | null): string | null {
  let best: { readonly name: string; readonly metric: number } | null = null
  for (const line of (routes ?? '').split('\n').slice(1)) {
    const [name, destination, , , , , metricText, mask] = line.trim().split(/\s+/)
    if (name === undefined || destination !== '00000000' || mask !== '00000000') continue
    const metric = Number(metricText)
    if (best === null || metric < best.metric) best = { name, metric }
  }
  return best?.name ?? null
}

/** Interfaces without an address aren't among those that Node names. */
async function whyNot(wanted: string, { readText }: NetworkFacts): Promise<string> {
  if (!/^[\w.@-]{1,15}$/.test(wanted) || wanted === '.' || wanted === '..') return 'unknown'
  const state = (await readText(`/sys/class/net/${wanted}/operstate`))?.trim()
  if (state === undefined) return 'unknown'
  return state === 'down' || state === 'lowerlayerdown' ? 'down' : 'no-address'
}
