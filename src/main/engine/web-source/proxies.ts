/**
 * Which proxy a request goes through, by the variables that curl, wget and git know: `http_proxy`, `https_proxy`,
 * `all_proxy` and `no_proxy`, in small letters or capitals, the small ones first. Pure. Node's own agents speak to the
 * proxy; they know neither `all_proxy` nor which of the two failed, so the choice is made here.
 */
import { BlockList, isIP } from 'node:net'
import { NetworkError } from '#shared/errors'

export type Environment = { readonly [name: string]: string | undefined }

/** The address of the proxy for `url`; null for none. Throws NetworkError E_NET_PROXY for one of a kind we don't speak. */
export function proxyFor(url: URL, environment: Environment): URL | null {
  const valueOf = (name: string) => environment[name] || environment[name.toUpperCase()] || null
  const named = valueOf(url.protocol === 'https:' ? 'https_proxy' : 'http_proxy') ?? valueOf('all_proxy')
  if (named === null || isExempt(url, valueOf('no_proxy') ?? '')) return null
  const proxy = URL.parse(named.includes('://') ? named : `http://${named}`)
  if (proxy === null || (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')) {
    const kind = /^[a-z][a-z0-9+.-]*(?=:\/\/)/i.exec(named)?.[0] ?? 'unknown'
    throw new NetworkError(
      'E_NET_PROXY',
      `proxies of the kind ${kind} can't be used, only http and https ones`,
      {
        details: { address: url.origin, phase: 'proxy', kind },
      },
    )
  }
  return proxy
}

/**
 * `no_proxy`: names separated by commas or spaces, each for itself and what is below it; networks (`10.0.0.0/8`), for hosts that are named
 * by an address; `*` for everything.
 */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true
      if (entry.includes('/')) return isInNetwork(host, entry)
      // An address of IPv6 has colons of its own, and stands in brackets before a port.
      const [, name = entry, ofPort = port] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? []
      const plain = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '')
      return ofPort === port && (host === plain || host.endsWith(`.${plain}`))
    })
}

const families = { 4: { name: 'ipv4', bits: 32 }, 6: { name: 'ipv6', bits: 128 } } as const

/** What isn't a network holds nobody. */
function isInNetwork(host: string, network: string): boolean {
  const [, address = '', bits = ''] = /^([\d.a-f:]+)\/(\d{1,3})$/.exec(network.replaceAll(/[[\]]/g, '')) ?? []
  const kind = isIP(address)
  if ((kind !== 4 && kind !== 6) || isIP(host) !== kind) return false
  const family = families[kind]
  if (Number(bits) > family.bits) return false
  const list = new BlockList()
  list.addSubnet(address, Number(bits), family.name)
  return list.check(host, family.name)
}
