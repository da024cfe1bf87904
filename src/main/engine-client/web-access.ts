/**
 * How the web is reached, for an elevated host: pkexec clears its environment, and it never heard the addresses with passwords
 * that the other one was asked about. In this process's memory, and nowhere else, until the app ends.
 */
import { webAddressSchema } from '#shared/contract'
import { isWebLocator, webVariables } from '#shared/model'
import type { HostProcess } from './host-process.ts'

/** The oldest are forgotten. */
const rememberedServers = 100

export class WebAccess {
  readonly #environment: { readonly [name: string]: string | undefined }
  /** By the server. */
  readonly #addresses = new Map<string, string>()

  constructor(environment: { readonly [name: string]: string | undefined }) {
    this.#environment = environment
  }

  /** Look for addresses with passwords in what is asked; they are kept as URLs are written, a space in one encoded. */
  notice(input: unknown): void {
    if (typeof input !== 'object' || input === null) return
    for (const value of Object.values(input)) {
      if (typeof value === 'object') this.notice(value)
      const url = typeof value === 'string' && isWebLocator(value) ? URL.parse(value) : null
      if (url === null || (url.username === '' && url.password === '')) continue
      const address = `${url.protocol}//${url.username}:${url.password}@${url.host}`
      // What no host would take must not keep it from hearing the others.
      if (!webAddressSchema.safeParse(address).success) continue
      this.#addresses.delete(url.origin)
      this.#addresses.set(url.origin, address)
      for (const oldest of this.#addresses.keys()) {
        if (this.#addresses.size <= rememberedServers) break
        this.#addresses.delete(oldest)
      }
    }
  }

  /** To a host of our own environment. Rejects as a request does. */
  async handAddressesTo(host: HostProcess): Promise<void> {
    const addresses = [...this.#addresses.values()]
    if (addresses.length > 0) await host.connection.request('web.prepare', { variables: null, addresses })
  }

  /** To a host without. Where there is nothing to tell, nothing is asked. Rejects as a request does. */
  async handTo(host: HostProcess, signal?: AbortSignal): Promise<void> {
    const variables = Object.fromEntries(
      webVariables.flatMap((name) => {
        const value = this.#environment[name]
        return value === undefined || value === '' ? [] : [[name, value.slice(0, 4096)]]
      }),
    )
    const addresses = [...this.#addresses.values()]
    if (addresses.length === 0 && Object.keys(variables).length === 0) return
    await host.connection.request(
      'web.prepare',
      { variables, addresses },
      signal === undefined ? {} : { signal },
    )
  }
}
