/**
 * Which proxy a request goes through, by the variables that curl, wget and git know: `http_proxy`, `https_proxy`,
 * `all_proxy` and `no_proxy`, in small letters or capitals, the small ones first. Pure. Node's own agents speak to the
 * proxy; they know neither `all_proxy` nor which of the two failed, so the choice is made here.
 */
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

/** `no_proxy`: names separated by commas or spaces, each for itself and what is below it; `*` for everything. */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true
      // An address of IPv6 has colons of its own, and stands in brackets before a port.
      const [, name = entry, ofPort = port] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? []
      const plain = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '')
      return ofPort === port && (host === plain || host.endsWith(`.${plain}`))
    })
}
