/** Who is connected to a port's thread, and to which of its sessions: what they say is counted for those, and read ahead for. */
import type { ClientMessage, ServerMessage } from '#engine/multicast/wire'
import type { Pace } from './answer-pacer.ts'
import type { Served } from './served.ts'

export interface ThreadClientsOptions {
  readonly find: (sessionId: string) => Served | undefined
  readonly joined: () => void
  /** One said that it is done, whatever came of it. */
  readonly finished: () => void
  /** What was read ahead may be sent. */
  readonly wake: () => void
}

/** What is kept of a hello until its session is known. */
interface Newcomer {
  readonly clientId: string
  readonly host: string
  readonly purpose: string
}

/** Who is in a session. */
interface Member {
  readonly served: Served
  readonly address: string
}

export class ThreadClients {
  readonly #options: ThreadClientsOptions
  /** By connection. */
  readonly #newcomers = new Map<string, Newcomer>()
  readonly #members = new Map<string, Member>()
  /** Sessions whose reports were heard since their blocks were read ahead. */
  readonly #reported = new Set<Served>()

  constructor(options: ThreadClientsOptions) {
    this.#options = options
  }

  memberOf(connection: string): Member | undefined {
    return this.#members.get(connection)
  }

  /** The session that a connection is in. */
  sessionOf(connection: string): Served | undefined {
    return this.#members.get(connection)?.served
  }

  /** For a block to who is in a session; null: he is in none. */
  paceOf(connection: string, go: () => void): Pace | null {
    const member = this.#members.get(connection)
    return member?.served.stream.paceOf(member.address, go) ?? null
  }

  /** Heard before the hub hears it. */
  said(connection: string, message: ClientMessage, nowMs: number): void {
    if (message.kind === 'hello') {
      const { clientId, hostName, purpose } = message
      this.#newcomers.set(connection, {
        clientId: Buffer.from(clientId).toString('hex'),
        host: hostName,
        purpose,
      })
    }
    const served = this.sessionOf(connection)
    served?.stream.roster.said(connection, message, nowMs)
    // What it needs should be at hand before its turn comes.
    if (message.kind === 'report' && served !== undefined) this.#afterReport(served)
    if (message.kind === 'finished') this.#options.finished()
  }

  /** Whoever is told of a session is in it. */
  told(connection: string, message: ServerMessage, address: string, nowMs: number): void {
    if (message.kind !== 'session') return
    const newcomer = this.#newcomers.get(connection)
    const served = this.#options.find(Buffer.from(message.sessionId).toString('hex'))
    this.#newcomers.delete(connection)
    if (newcomer === undefined || served === undefined) return
    this.#members.set(connection, { served, address })
    if (newcomer.purpose !== 'join') return
    const { clientId, host } = newcomer
    served.stream.roster.joined(connection, { clientId, host, address }, nowMs)
    this.#options.joined()
  }

  left(connection: string): void {
    const served = this.sessionOf(connection)
    served?.stream.roster.left(connection)
    served?.stream.fetches.left(connection)
    this.#members.delete(connection)
    this.#newcomers.delete(connection)
  }

  /** Once for all that came in one turn. */
  #afterReport(served: Served): void {
    if (this.#reported.size === 0)
      setImmediate(() => {
        for (const { stream } of this.#reported) if (stream.sender.state !== 'waiting') stream.readAhead()
        this.#reported.clear()
        this.#options.wake()
      })
    this.#reported.add(served)
  }
}
