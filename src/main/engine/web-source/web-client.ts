/**
 * What all requests of a process share: connections that are kept open, names and passwords by server, what a server
 * without ranges has already sent. Nothing of it is ever written anywhere, and it goes with the process.
 */
import { readFileSync } from 'node:fs'
import type { Agent as HttpAgent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '#shared/log'
import { isWebLocator } from '#shared/model'
import { proxyFor, type Environment } from './proxies.ts'
import { FastLane } from './fast-lane.ts'
import type { FetchWatch } from './fetch-watch.ts'
import { KeptParts } from './kept-parts.ts'
import { Outage } from './outage.ts'
import { Spool } from './spool.ts'
import { versionOf, type Validators } from './validators.ts'
import { folderOf, WholeFiles } from './whole-files.ts'

export interface WebClientOptions {
  /** Where proxies and `SSL_CERT_FILE` are named. Default: this process's. */
  readonly environment?: Environment
  /** A server may be silent for this long. Default half a minute; then the connection is made anew. */
  readonly stallMs?: number
  /** Pauses before a request is made again, in turn; the last one stands for all that follow. */
  readonly pausesMs?: readonly number[]
  /** So long is a server waited for that was there, without a byte over any connection. Default two minutes. */
  readonly patienceMs?: number
  /** So long for one of which nobody knows whether it ever was there. Default ten seconds: a server program is started again in that. */
  readonly openingPatienceMs?: number
  /** And so long where its computer refuses connections. Default three seconds: whoever mistyped a port waits for it, too. */
  readonly openingRefusedMs?: number
  /** Counts ms. */
  readonly now?: () => number
  /** Where a server's answer is kept that can't be read in parts. */
  readonly spoolFolder?: string
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>
}

const defaultPausesMs = [500, 1000, 2000, 4000]
/** A computer is started again in that time. */
const defaultPatienceMs = 120_000
/** Whoever mistyped an address waits for it, too. */
const defaultOpeningPatienceMs = 10_000
const defaultOpeningRefusedMs = 3000
/** Connections to one server. */
const mostSockets = 8

export class WebClient implements Disposable {
  readonly stallMs: number
  readonly pausesMs: readonly number[]
  readonly patienceMs: number
  readonly openingPatienceMs: number
  readonly openingRefusedMs: number
  readonly now: () => number
  readonly spoolFolder: string | null
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>
  /** Null: nobody listens. */
  log: Logger | null = null
  /** Null: nobody wants to know why it takes so long. */
  fetchWatch: FetchWatch | null = null
  readonly wholeFiles = new WholeFiles()
  /** What is kept of the files of a folder, by their address. */
  readonly #keeping = new Map<string, Map<string, KeptParts>>()
  /** Of servers that were asked for the first time, by their origin: nobody waits for one twice who asks two things of it. */
  readonly #openings = new Map<string, Outage>()
  /** For ranges over plain connections. */
  readonly fastLane = new FastLane()
  #environment: Environment
  readonly #passwords = new Map<string, string>()
  readonly #agents = new Map<string, HttpAgent>()
  #authorities: string[] | null = null

  constructor(options: WebClientOptions = {}) {
    this.#environment = options.environment ?? process.env
    this.stallMs = options.stallMs ?? 30_000
    this.pausesMs = options.pausesMs ?? defaultPausesMs
    this.patienceMs = options.patienceMs ?? defaultPatienceMs
    this.openingPatienceMs = options.openingPatienceMs ?? defaultOpeningPatienceMs
    this.openingRefusedMs = options.openingRefusedMs ?? defaultOpeningRefusedMs
    this.now = options.now ?? (() => performance.now())
    this.spoolFolder = options.spoolFolder ?? null
    this.sleep = options.sleep ?? sleep
  }

  /** Proxies and certificates as these variables say, from the next request on. */
  useEnvironment(environment: Environment): void {
    // Connections in use would be cut.
    if (JSON.stringify(environment) === JSON.stringify(this.#environment)) return
    this.#environment = environment
    this.#closeAgents()
    this.#authorities = null
  }

  /** Take name and password out of an address and keep them for its server: for that scheme, host and port alone. */
  takePassword(url: URL): URL {
    const clean = new URL(url)
    if (url.username !== '' || url.password !== '') {
      const [name, password] = [url.username, url.password].map(decoded)
      const token = Buffer.from(`${name}:${password}`, 'utf8').toString('base64')
      this.#passwords.set(url.origin, `Basic ${token}`)
      clean.username = ''
      clean.password = ''
    }
    clean.hash = ''
    return clean
  }

  /** The value of `Authorization` for `url`; null where nobody gave one for its server. */
  authorizationFor(url: URL): string | null {
    return this.#passwords.get(url.origin) ?? null
  }

  /** How long the server of `url`, of which nothing is known, has been away. */
  openingOutage({ origin }: URL): Outage {
    const known = this.#openings.get(origin)
    if (known !== undefined) return known
    const { now, openingPatienceMs: patienceMs, openingRefusedMs: refusedPatienceMs } = this
    const outage = new Outage({ now, patienceMs, refusedPatienceMs })
    this.#openings.set(origin, outage)
    return outage
  }

  /** What speaks to the server of `url`, and through which proxy. Throws NetworkError E_NET_PROXY. */
  route(url: URL): { readonly agent: HttpAgent; readonly proxy: URL | null } {
    const proxy = proxyFor(url, this.#environment)
    const key = `${url.protocol} ${proxy?.href ?? ''}`
    const agent = this.#agents.get(key) ?? this.#createAgent(url, proxy)
    this.#agents.set(key, agent)
    return { agent, proxy }
  }

  /** Whether `fastLane` goes there: nothing is between us and the server. */
  hasFastLane(url: URL): boolean {
    return url.protocol === 'http:' && proxyFor(url, this.#environment) === null
  }

  /** Whoever looks at `address`, if it is one, the next time means what is there then, even where the server doesn't tell one state from another. */
  lookAnew(address: string): void {
    if (isWebLocator(address) && URL.canParse(address)) this.wholeFiles.lookAnew(address)
  }

  /**
   * Until it is disposed, what comes of `path`, and of the files beside it, is kept for a second reading, as far as the disk has room
   * for the whole of each.
   */
  keepParts(path: string): Disposable {
    const folder = folderOf(path)
    if (this.#keeping.has(folder)) return { [Symbol.dispose]: () => undefined }
    const kept = new Map<string, KeptParts>()
    this.#keeping.set(folder, kept)
    return {
      [Symbol.dispose]: () => {
        this.#keeping.delete(folder)
        for (const each of kept.values()) each[Symbol.dispose]()
      },
    }
  }

  /** Where what comes of that state of the file is kept; null: nowhere. */
  async keptParts(path: string, validators: Validators, sizeBytes: number): Promise<KeptParts | null> {
    const url = new URL(path)
    const version = versionOf(validators, { sizeBytes })
    const before = this.#keeping.get(folderOf(path))?.get(path) ?? null
    if (before !== null || !this.#keeping.has(folderOf(path)))
      return before?.version === version ? before : null
    let spool: Spool | null = null
    try {
      spool = new Spool(url, this.spoolFolder)
      await spool.checkRoom(sizeBytes)
    } catch (error) {
      spool?.close()
      this.log?.info('there is no room to keep what comes: it may be fetched twice', { error: String(error) })
      return null
    }
    const keeping = this.#keeping.get(folderOf(path))
    if (keeping === undefined || keeping.has(path)) {
      spool.close()
      return keeping?.get(path) ?? null
    }
    const kept = new KeptParts(spool, version)
    keeping.set(path, kept)
    return kept
  }

  [Symbol.dispose](): void {
    this.#closeAgents()
    this.wholeFiles[Symbol.dispose]()
    this.#passwords.clear()
  }

  #createAgent(url: URL, proxy: URL | null): HttpAgent {
    const common = { keepAlive: true, maxSockets: mostSockets, maxFreeSockets: mostSockets }
    // Loaded when they are needed: see exchange.ts.
    if (url.protocol === 'http:')
      return new (process.getBuiltinModule('node:http').Agent)({
        ...common,
        ...(proxy === null ? {} : { proxyEnv: { http_proxy: proxy.href } }),
      })
    return new (process.getBuiltinModule('node:https').Agent)({
      ...common,
      ca: this.#trusted(),
      ...(proxy === null ? {} : { proxyEnv: { https_proxy: proxy.href } }),
    })
  }

  /** Mozilla's authorities, this computer's own, and those in the file that `SSL_CERT_FILE` names. */
  #trusted(): string[] {
    if (this.#authorities !== null) return this.#authorities
    const named = this.#environment['SSL_CERT_FILE']
    this.#authorities = [
      ...new Set([
        ...process.getBuiltinModule('node:tls').getCACertificates('default'),
        ...systemAuthorities(),
      ]),
    ]
    if (named !== undefined && named !== '') this.#authorities.push(...this.#readAuthorities(named))
    return this.#authorities
  }

  #readAuthorities(path: string): string[] {
    try {
      return (
        readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
      )
    } catch (error) {
      this.log?.warn('SSL_CERT_FILE cannot be read', { path, error: String(error) })
      return []
    }
  }

  #closeAgents(): void {
    this.fastLane.close()
    for (const agent of this.#agents.values()) agent.destroy()
    this.#agents.clear()
  }
}

let shared: WebClient | null = null

/** The client of this process. */
export const sharedWebClient = (): WebClient => (shared ??= new WebClient())

function systemAuthorities(): readonly string[] {
  try {
    return process.getBuiltinModule('node:tls').getCACertificates('system')
  } catch {
    return []
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
