/**
 * Everyone who ever joined a session, as its administrator sees them: made of what they say and what they are told. The hub
 * knows only who is there; this also knows who was, and how it ended for them.
 */
import type { ClientState } from '#engine/multicast/sender'
import type { ClientMessage, StreamState } from '#engine/multicast/wire'
import type { SessionClient } from '#shared/model'

interface Entry {
  readonly clientId: string
  host: string
  address: string
  /** The connection it has, or had last. */
  connection: string
  isConnected: boolean
  /** How it stood when the session ended; null before. */
  atEnd: SessionClient['state'] | null
  finished: 'done' | 'failed' | 'cancelled' | 'disconnected' | null
  blocksDone: number
  loss: number
  standing: SessionClient['standing']
  writeBytesPerSecond: number
  lastSeenMs: number
  text: string
}

/** Those who left are forgotten before those who are here. */
const mostRemembered = 2048
/** Of what one says for people: all of them together go to a window, twice a second. */
const mostCharacters = 200
/** A client that reports four times a second and is silent for so long has trouble. */
const lostMs = 5000

export class ClientRoster {
  readonly #entries = new Map<string, Entry>()
  readonly #byConnection = new Map<string, Entry>()
  readonly #blocks: number

  constructor(blocks: number) {
    this.#blocks = blocks
  }

  joined(
    connection: string,
    { clientId, host, address }: Pick<SessionClient, 'clientId' | 'host' | 'address'>,
    nowMs: number,
  ): void {
    this.#forgetStopped(host, address)
    const known = this.#entries.get(clientId)
    const entry: Entry = {
      clientId,
      host,
      address,
      connection,
      isConnected: true,
      atEnd: null,
      finished: null,
      blocksDone: known?.blocksDone ?? 0,
      loss: 0,
      standing: 'well',
      writeBytesPerSecond: 0,
      lastSeenMs: nowMs,
      text: '',
    }
    if (known !== undefined) this.#byConnection.delete(known.connection)
    this.#entries.delete(clientId)
    this.#entries.set(clientId, entry)
    this.#byConnection.set(connection, entry)
    if (this.#entries.size > mostRemembered) this.#forgetOne()
  }

  said(connection: string, message: ClientMessage, nowMs: number): void {
    const entry = this.#byConnection.get(connection)
    if (entry === undefined) return
    entry.lastSeenMs = nowMs
    if (message.kind === 'report') {
      entry.blocksDone = Math.min(message.blocksDone, this.#blocks)
      entry.writeBytesPerSecond = message.writeBytesPerSecond
    } else if (message.kind === 'finished') {
      entry.finished = message.outcome
      entry.text = message.text.slice(0, mostCharacters).toWellFormed()
      if (message.outcome === 'done') entry.blocksDone = this.#blocks
    }
  }

  /** The administrator sends it away: it won't be heard of again, and isn't lost for that. */
  dismissed(clientId: string): void {
    const entry = this.#entries.get(clientId)
    if (entry !== undefined) entry.finished ??= 'disconnected'
  }

  left(connection: string): void {
    const entry = this.#byConnection.get(connection)
    this.#byConnection.delete(connection)
    if (entry?.connection === connection) entry.isConnected = false
  }

  /** The session ends now: who is here loses the connection by it, and isn't lost for that. */
  ended(stream: StreamState, nowMs: number): void {
    for (const entry of this.#entries.values()) entry.atEnd ??= this.#stateOf(entry, stream, nowMs)
  }

  /** It won't come back: its computer is here again as another client. */
  forget(clientId: string): void {
    const entry = this.#entries.get(clientId)
    if (entry === undefined) return
    this.#entries.delete(clientId)
    this.#byConnection.delete(entry.connection)
  }

  /** Its connection; null when it isn't here. */
  connectionOf(clientId: string): string | null {
    const entry = this.#entries.get(clientId)
    return entry?.isConnected === true ? entry.connection : null
  }

  /**
   * Someone was heard not long ago who hasn't got it, perhaps stopped and comes again. A connection says nothing: it outlives a computer
   * that lost its power.
   */
  hasUnfinished(nowMs: number, patienceMs: number): boolean {
    return this.#entries
      .values()
      .some(
        ({ finished, lastSeenMs }) =>
          finished !== 'done' && finished !== 'disconnected' && nowMs - lastSeenMs < patienceMs,
      )
  }

  /** `states`: what the sender knows of those who are here. `toDate`: the clock that people have, now. */
  list(
    states: readonly ClientState[],
    {
      stream,
      nowMs,
      toDate,
    }: { readonly stream: StreamState; readonly nowMs: number; readonly toDate: number },
  ): SessionClient[] {
    const byId = new Map(states.map((state) => [state.id, state]))
    return [...this.#entries.values()].map((entry) => {
      const { clientId, host, address, lastSeenMs, text } = entry
      const state = byId.get(clientId)
      if (state !== undefined) {
        entry.loss = state.loss
        entry.standing = state.standing
      }
      const { standing, blocksDone, loss, writeBytesPerSecond } = entry
      return {
        clientId,
        host,
        address,
        state: this.#stateOf(entry, stream, nowMs),
        standing,
        blocksDone,
        loss,
        writeBytesPerSecond,
        lastSeenMs: Math.round(toDate - (nowMs - lastSeenMs)),
        text,
      }
    })
  }

  #stateOf(entry: Entry, stream: StreamState, nowMs: number): SessionClient['state'] {
    const { finished, atEnd, isConnected, lastSeenMs, blocksDone } = entry
    if (finished !== null) return finished
    if (atEnd !== null) return atEnd
    if (!isConnected || nowMs - lastSeenMs > lostMs) return 'lost'
    if (blocksDone >= this.#blocks) return 'verifying'
    if (stream === 'waiting') return 'joined'
    return stream === 'streaming' ? 'receiving' : 'missing'
  }

  /** Of a computer whose run was stopped and that begins another, nothing is left to be told of the first. */
  #forgetStopped(host: string, address: string): void {
    for (const entry of this.#entries.values()) {
      const isStopped = entry.finished === 'cancelled' || entry.finished === 'disconnected'
      if (isStopped && entry.host === host && entry.address === address) this.forget(entry.clientId)
    }
  }

  #forgetOne(): void {
    for (const entry of this.#entries.values())
      if (!entry.isConnected) {
        this.#entries.delete(entry.clientId)
        return
      }
  }
}
