/** A file of a server that gives parts of it: asked for what is wanted, again where it broke off, each answer of the first one's state. */
import { checkRange, discard, refusedStatus, refuseEncoded, type Head } from './answers.ts'
import { takeBody } from './body.ts'
import { parseContentRange } from './content-range.ts'
import { exchange, headersFor, type Exchange } from './exchange.ts'
import type { FastRange } from './fast-lane.ts'
import { endsBefore } from './spool.ts'
import type { KeptParts } from './kept-parts.ts'
import { Waiting } from './fetch-watch.ts'
import { Outage, Tries } from './outage.ts'
import { tryAgain } from './try-again.ts'
import {
  ifRange,
  modifiedOf,
  sameValidators,
  versionOf,
  readValidators,
  type Validators,
} from './validators.ts'
import { answerError, changedOnServer, cutShort, shownUrl, tooMuch } from './web-errors.ts'
import type { WebClient } from './web-client.ts'
import type { Opening, StreamOptions, TakeBytes, WebSource } from './web-source.ts'

/** How one request is made, and where its bytes go. */
type Asking = Pick<FastRange, 'signal' | 'onBytes' | 'room'>

/** Smaller reads bring this much of what lies before: one trip for a trailer and what it speaks of. */
const aroundBytes = 192 * 1024
/** And this much of what follows. */
const behindBytes = 65_536
/** From this much on a range is worth the fast lane. */
const fastBytes = 128 * 1024
/** Getting on by this much means that the connection was good for something. */
const progressBytes = 65_536

export class RangedSource implements WebSource {
  readonly path: string
  readonly sizeBytes: number
  readonly finalUrl: string
  readonly version: string
  readonly modifiedMs: number | null
  readonly fd = null
  readonly #client: WebClient
  readonly #url: URL
  readonly #validators: Validators
  readonly #head: Uint8Array
  /** The last small part that was read, with what lies around it. */
  #around: { readonly start: number; readonly bytes: Uint8Array } = { start: 0, bytes: new Uint8Array(0) }
  /** Where the last answer came from: asked again without going through the redirects. */
  #direct: URL
  readonly #outage: Outage
  readonly #kept: KeptParts | null
  /** Origins whose parts came the usual way after the fast lane had declined them: they aren't asked twice for each. */
  readonly #slowOrigins = new Set<string>()
  /** A date may stand in `If-Range`. */
  #asksByDate = true
  readonly #closing = new AbortController()

  constructor(
    { client, url, path }: Opening,
    finalUrl: URL,
    validators: Validators,
    sizeBytes: number,
    head: Uint8Array,
    kept: KeptParts | null = null,
  ) {
    this.path = path
    this.sizeBytes = sizeBytes
    this.finalUrl = shownUrl(finalUrl)
    this.version = versionOf(validators, { sizeBytes })
    this.modifiedMs = modifiedOf(validators)
    this.#client = client
    this.#kept = kept
    this.#outage = new Outage(client)
    this.#url = url
    this.#direct = finalUrl
    this.#validators = validators
    this.#head = head
  }

  get trouble(): unknown {
    return this.#outage.trouble
  }

  async read(into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (into.length === 0) return
    const end = offset + into.length
    if (end > this.sizeBytes) throw endsBefore(this.path, offset, into.length, this.sizeBytes)
    const known = Math.max(0, Math.min(end, this.#head.length) - offset)
    into.set(this.#head.subarray(offset, offset + known))
    if (offset + known === end) return
    if (into.length < aroundBytes) return await this.#readAround(into.subarray(known), offset + known, signal)
    await this.stream(offset + known, end, (bytes, at) => into.set(bytes, at - offset), { signal })
  }

  async stream(from: number, to: number, take: TakeBytes, options: StreamOptions = {}): Promise<void> {
    const { room } = options
    const signal = AbortSignal.any([this.#closing.signal, ...(options.signal ? [options.signal] : [])])
    const { now } = this.#client
    let at = this.#kept?.give(from, to, take) ?? from
    if (at === to) return
    let before = at
    let beganMs = now()
    let lastMs = beganMs
    const tries = new Tries(this.#client, this.#outage)
    const waiting = new Waiting(this.#client, this.path, 'reading')
    const pauseAfter = (error: unknown) => {
      if (at - before >= progressBytes) tries.gotOn()
      const pauseMs = tries.pauseAfter(error, { beganMs, lastMs })
      if (pauseMs !== null) waiting.again(this.trouble)
      return pauseMs
    }
    const reading = tryAgain(this.#client, signal, pauseAfter, async () => {
      before = at
      beganMs = lastMs = now()
      try {
        const onBytes = (bytes: Uint8Array) => {
          if (at + bytes.length > to) throw tooMuch(this.#direct, to - before)
          waiting.end()
          this.#kept?.put(bytes, at)
          take(bytes, at)
          at += bytes.length
          lastMs = now()
        }
        await this.#ask(at, to, { signal, onBytes, room: room === undefined ? undefined : () => room(at) })
        if (at < to) throw cutShort(this.#direct, at - before)
      } catch (error) {
        // Where redirects led may be what failed.
        this.#direct = this.#url
        throw error
      }
    })
    try {
      await reading
    } finally {
      waiting.end()
    }
    this.#outage.heard()
  }

  /** What lies before is mostly wanted next: trailers come first, and speak of what they follow. */
  async #readAround(into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void> {
    let { start, bytes } = this.#around
    if (offset < start || offset + into.length > start + bytes.length) {
      start = Math.max(0, offset - aroundBytes)
      const end = Math.min(this.sizeBytes, offset + into.length + behindBytes)
      const fetched = new Uint8Array(end - start)
      await this.stream(start, end, (piece, at) => fetched.set(piece, at - start), { signal })
      bytes = fetched
      this.#around = { start, bytes }
    }
    into.set(bytes.subarray(offset - start, offset - start + into.length))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Connections are the client's; who still waits for one is let go.
    this.#closing.abort(new Error('the source was closed'))
  }

  /** One request for what is still missing. */
  async #ask(from: number, to: number, how: Asking): Promise<void> {
    const { signal, onBytes } = how
    const headers = this.#headersFor(from, to)
    const { href } = this.#direct
    const fast = await this.#askFast(from, to, headers, how)
    if (fast === 'done') return
    let isDeclined = fast === 'declined'
    let answer = await this.#exchange(headers, signal)
    if (this.#refusesDate(answer, headers)) {
      discard(answer)
      isDeclined = false
      this.#asksByDate = false
      answer = await this.#exchange(this.#headersFor(from, to), signal)
    }
    try {
      this.#check(answer, from, to)
      this.#direct = answer.url
      // A redirect is declined, too, and where it leads need not be.
      if (isDeclined && answer.url.href === href) this.#slowOrigins.add(answer.url.origin)
      await takeBody(answer.body, { url: answer.url, stallMs: this.#client.stallMs, signal, onBytes })
    } catch (error) {
      discard(answer)
      throw error
    }
  }

  #headersFor(from: number, to: number): { readonly [name: string]: string } {
    const condition = ifRange(this.#validators, { byDate: this.#asksByDate })
    return { range: `bytes=${from}-${to - 1}`, ...(condition === null ? {} : { 'if-range': condition }) }
  }

  async #exchange(
    headers: { readonly [name: string]: string },
    signal: AbortSignal | undefined,
  ): Promise<Exchange> {
    const answer = await exchange(this.#client, this.#direct, { headers, signal })
    // An address that redirects once gave may be good for a while only.
    const isExpired = answer.status >= 400 && answer.status !== 416 && this.#direct.href !== this.#url.href
    if (!isExpired) return answer
    discard(answer)
    return await exchange(this.#client, this.#url, { headers, signal })
  }

  /**
   * It sends everything, though nothing has changed: "A recipient of an If-Range header field MUST ignore the Range header field if the
   * If-Range condition evaluates as false", which a date of the last minute does (RFC 9110 §13.1.5, §8.8.2.2). Without the condition each
   * answer is compared all the same.
   */
  #refusesDate(answer: Head, asked: { readonly [name: string]: string }): boolean {
    const byDate = asked['if-range'] !== undefined && asked['if-range'] === this.#validators.lastModified
    return byDate && answer.status === 200 && this.#found(answer).isSame
  }

  /** `none`: there is no fast lane; `declined`: nothing came of it that could be used. */
  async #askFast(
    from: number,
    to: number,
    headers: { readonly [name: string]: string },
    how: Asking,
  ): Promise<'done' | 'declined' | 'none'> {
    const client = this.#client
    const url = this.#direct
    if (to - from < fastBytes || this.#slowOrigins.has(url.origin) || !client.hasFastLane(url)) return 'none'
    return await client.fastLane.fetch({
      url,
      headers: { ...headersFor(client, url), ...headers },
      lengthBytes: to - from,
      stallMs: client.stallMs,
      check: (found) => this.#check({ url, status: 206, headers: found }, from, to),
      ...how,
    })
  }

  #check(answer: Head, from: number, to: number): void {
    const { status, url } = answer
    const { sizeBytes } = this
    if (status !== 200 && status !== 206 && status !== 416) throw refusedStatus(answer)
    const found = this.#found(answer)
    // 416 need not say more than the size.
    if (!found.isSame && (status !== 416 || found.sizeBytes !== sizeBytes))
      throw changedOnServer(this.#url, this.version, versionOf(found.validators, found))
    if (status !== 206)
      throw answerError(url, `status ${status} to a request for a part`, {
        field: 'The status',
        found: status,
        expected: 206,
      })
    refuseEncoded(answer)
    checkRange(answer, { from, to, sizeBytes })
  }

  /** In which state the file is by an answer, and whether that is the one it was in. */
  #found({ status, headers }: Head): {
    readonly validators: Validators
    readonly sizeBytes: number
    readonly isSame: boolean
  } {
    const range = status === 200 ? null : parseContentRange(headers['content-range'])
    const sizeBytes =
      status === 200 && headers['content-length'] !== undefined
        ? Number(headers['content-length'])
        : (range?.sizeBytes ?? this.sizeBytes)
    const validators = readValidators(headers)
    const isSame = sameValidators(validators, this.#validators) && sizeBytes === this.sizeBytes
    return { validators, sizeBytes, isSame }
  }
}
