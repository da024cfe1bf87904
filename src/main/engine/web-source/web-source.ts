/**
 * A file on a web server as a `BlockSource`. The first request asks for the beginning and learns the rest from the answer:
 * how long the file is, what tells this state of it from another, whether the server gives parts. Every later answer must
 * be of the same state.
 *
 *     openWebSource ─ exchange ─ redirects, passwords, proxies, TLS
 *          │
 *          ├─ ranges      read, stream: 206 with exactly what was asked for, taken up again where it broke off
 *          └─ no ranges   Spool: everything once into a nameless file
 */
import type { BlockSource } from '#engine/block-io'
import { AppError, UsageError } from '#shared/errors'
import { withoutPassword } from '#shared/model'
import { takeBody } from './body.ts'
import { parseContentRange } from './content-range.ts'
import { exchange, headersFor, type Exchange } from './exchange.ts'
import type { FastRange } from './fast-lane.ts'
import { endsBefore, Spool } from './spool.ts'
import {
  areNone,
  ifRange,
  modifiedOf,
  readValidators,
  sameValidators,
  versionOf,
  type Validators,
} from './validators.ts'
import { answerError, changedOnServer, cutShort, shownUrl, statusError, tooMuch } from './web-errors.ts'
import { sharedWebSession, type WebSession } from './web-session.ts'

/** Called with bytes that are the caller's only until it returns; `offset` is where they lie in the file. */
export type TakeBytes = (bytes: Uint8Array, offset: number) => void

export interface WebSource extends BlockSource {
  /** The address as it was given, without name and password. */
  readonly path: string
  /** Where redirects led, without what may be a key. */
  readonly finalUrl: string
  /** One line that is the same for the same state of the file: its size and what the server says of it. */
  readonly version: string
  /** In ms since 1970; null when the server doesn't say. */
  readonly modifiedMs: number | null
  /** A file that holds everything, where the server gives no parts; else null. Closed with the session. */
  readonly fd: number | null
  /**
   * The bytes from `from` to `to` (exclusive) in order, each once, over one connection after the other. Throws what
   * `read` throws, and what `take` does.
   */
  stream(from: number, to: number, take: TakeBytes, options?: StreamOptions): Promise<void>
}

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined
  /**
   * Where the bytes from `offset` on belong, at least one of them. What `take` gets may lie there already; where a connection
   * breaks, some of it may be overwritten with what came then.
   */
  readonly room?: (offset: number) => Uint8Array
}

export interface OpenWebOptions {
  readonly signal?: AbortSignal
  /** Default: the process's. */
  readonly session?: WebSession
}

/** What the first question brings beside its answer; a partition map is there. */
const headBytes = 65_536
/** Smaller reads bring this much of what lies before: one trip for a trailer and what it speaks of. */
const aroundBytes = 192 * 1024
/** From this much on a range is worth the fast lane. */
const fastBytes = 128 * 1024
/** Getting on by this much means that the connection was good for something. */
const progressBytes = 65_536
/** How often the first question is asked again; what can't be reached at all should be said soon. */
const openingPauses = 2
/** An answer without any validator is good for as long as a plan is. */
const blindMs = 10 * 60_000

/**
 * Open the file at `locator`, `http://` or `https://`, a name and a password in it where the server wants them. Throws
 * UsageError E_USAGE for an address that isn't one; NetworkError E_NET, E_NET_STALL, E_NET_STATUS, E_NET_PASSWORD,
 * E_NET_TLS, E_NET_REDIRECT, E_NET_ANSWER, E_NET_PROXY; E_NET_SPACE when there is no room for a file that can only be
 * fetched as a whole; the signal's reason.
 *
 * `read` throws these, and DeviceError E_SRC_CHANGED when the file isn't what it was. Dropped connections, silence and
 * passing troubles of the server are met with another request, for what is still missing.
 */
export async function openWebSource(locator: string, options: OpenWebOptions = {}): Promise<WebSource> {
  const { signal, session = sharedWebSession() } = options
  const parsed = URL.parse(locator)
  if (parsed === null || parsed.hostname === '' || !/^https?:$/.test(parsed.protocol))
    throw notAnAddress(locator)
  const url = session.takePassword(parsed)
  const opening = { session, url, path: withoutPassword(url.href) }
  return await tryAgain(session, signal, openingPauses, async () => {
    const headers = { range: `bytes=0-${headBytes - 1}` }
    const answer = await exchange(session, url, { headers, signal })
    try {
      return await fromAnswer(opening, answer, signal)
    } catch (error) {
      discard(answer)
      throw error
    }
  })
}

/** An answer without its body. */
type Head = Pick<Exchange, 'url' | 'status' | 'headers'> & Partial<Pick<Exchange, 'gavePassword'>>

/** How one request is made, and where its bytes go. */
type Asking = Pick<FastRange, 'signal' | 'onBytes' | 'room'>

interface Opening {
  readonly session: WebSession
  readonly url: URL
  readonly path: string
}

async function fromAnswer(opening: Opening, answer: Exchange, signal?: AbortSignal): Promise<WebSource> {
  const { session, url } = opening
  const { status, headers } = answer
  if (status === 416 && parseContentRange(headers['content-range'])?.sizeBytes === 0) {
    discard(answer)
    return new RangedSource(opening, answer.url, readValidators(headers), 0, new Uint8Array(0))
  }
  if (status === 200) {
    refuseEncoded(answer)
    return openSpooled(opening, answer, signal)
  }
  if (status !== 206) throw refusedStatus(answer)
  refuseEncoded(answer)
  const sizeBytes = parseContentRange(headers['content-range'])?.sizeBytes ?? null
  if (sizeBytes === null)
    throw answerError(answer.url, 'Content-Range says no size', {
      field: 'Content-Range',
      found: headers['content-range'] ?? 'nothing',
      expected: `bytes 0-${headBytes - 1}/size`,
    })
  const to = Math.min(headBytes, sizeBytes)
  checkRange(answer, { from: 0, to, sizeBytes })
  const head = await takePiece(answer, to, session, signal)
  const validators = readValidators(headers)
  if (areNone(validators))
    session.log?.warn('the server gives neither an ETag nor a date: a change would go unnoticed', {
      url: shownUrl(url),
    })
  return new RangedSource(opening, answer.url, validators, sizeBytes, head)
}

/** A body of `lengthBytes` as one piece. */
async function takePiece(
  answer: Exchange,
  lengthBytes: number,
  session: WebSession,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(lengthBytes)
  let at = 0
  await takeBody(answer.body, {
    url: answer.url,
    stallMs: session.stallMs,
    signal,
    onBytes: (piece) => {
      if (at + piece.length > bytes.length) throw tooMuch(answer.url, bytes.length)
      bytes.set(piece, at)
      at += piece.length
    },
  })
  if (at < bytes.length) throw cutShort(answer.url, at)
  return bytes
}

class RangedSource implements WebSource {
  readonly path: string
  readonly sizeBytes: number
  readonly finalUrl: string
  readonly version: string
  readonly modifiedMs: number | null
  readonly fd = null
  readonly #session: WebSession
  readonly #url: URL
  readonly #validators: Validators
  readonly #head: Uint8Array
  /** The last small part that was read, with what lies around it. */
  #around: { readonly start: number; readonly bytes: Uint8Array } = { start: 0, bytes: new Uint8Array(0) }
  /** Where the last answer came from: asked again without going through the redirects. */
  #direct: URL

  constructor(
    { session, url, path }: Opening,
    finalUrl: URL,
    validators: Validators,
    sizeBytes: number,
    head: Uint8Array,
  ) {
    this.path = path
    this.sizeBytes = sizeBytes
    this.finalUrl = shownUrl(finalUrl)
    this.version = versionOf(validators, { sizeBytes })
    this.modifiedMs = modifiedOf(validators)
    this.#session = session
    this.#url = url
    this.#direct = finalUrl
    this.#validators = validators
    this.#head = head
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
    const { signal, room } = options
    let at = from
    await tryAgain(this.#session, signal, null, async () => {
      const before = at
      try {
        const onBytes = (bytes: Uint8Array) => {
          if (at + bytes.length > to) throw tooMuch(this.#direct, to - before)
          take(bytes, at)
          at += bytes.length
        }
        await this.#ask(at, to, { signal, onBytes, room: room === undefined ? undefined : () => room(at) })
        if (at < to) throw cutShort(this.#direct, at - before)
      } catch (error) {
        // Where redirects led may be what failed.
        this.#direct = this.#url
        throw at - before >= progressBytes && isTransient(error) ? new GotOn(error) : error
      }
    })
  }

  /** What lies before is mostly wanted next: trailers come first, and speak of what they follow. */
  async #readAround(into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void> {
    let { start, bytes } = this.#around
    if (offset < start || offset + into.length > start + bytes.length) {
      start = Math.max(0, offset - aroundBytes)
      const end = Math.min(this.sizeBytes, offset + into.length + headBytes)
      const fetched = new Uint8Array(end - start)
      await this.stream(start, end, (piece, at) => fetched.set(piece, at - start), { signal })
      bytes = fetched
      this.#around = { start, bytes }
    }
    into.set(bytes.subarray(offset - start, offset - start + into.length))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Connections are the session's.
  }

  /** One request for what is still missing. */
  async #ask(from: number, to: number, how: Asking): Promise<void> {
    const { signal, onBytes } = how
    const condition = ifRange(this.#validators)
    const headers = {
      range: `bytes=${from}-${to - 1}`,
      ...(condition === null ? {} : { 'if-range': condition }),
    }
    if (await this.#askFast(from, to, headers, how)) return
    let answer = await exchange(this.#session, this.#direct, { headers, signal })
    // An address that redirects once gave may be good for a while only.
    if (answer.status >= 400 && answer.status !== 416 && this.#direct.href !== this.#url.href) {
      discard(answer)
      answer = await exchange(this.#session, this.#url, { headers, signal })
    }
    try {
      this.#check(answer, from, to)
      this.#direct = answer.url
      await takeBody(answer.body, { url: answer.url, stallMs: this.#session.stallMs, signal, onBytes })
    } catch (error) {
      discard(answer)
      throw error
    }
  }

  /** False where there is no fast lane, or nothing came of it that could be used. */
  async #askFast(
    from: number,
    to: number,
    headers: { readonly [name: string]: string },
    how: Asking,
  ): Promise<boolean> {
    const session = this.#session
    const url = this.#direct
    if (to - from < fastBytes || !session.hasFastLane(url)) return false
    const end = await session.fastLane.fetch({
      url,
      headers: { ...headersFor(session, url), ...headers },
      lengthBytes: to - from,
      stallMs: session.stallMs,
      check: (found) => this.#check({ url, status: 206, headers: found }, from, to),
      ...how,
    })
    return end === 'done'
  }

  #check(answer: Head, from: number, to: number): void {
    const { status, headers, url } = answer
    const { sizeBytes } = this
    if (status !== 200 && status !== 206 && status !== 416) throw refusedStatus(answer)
    const range = status === 200 ? null : parseContentRange(headers['content-range'])
    const found =
      status === 200 && headers['content-length'] !== undefined
        ? Number(headers['content-length'])
        : (range?.sizeBytes ?? sizeBytes)
    const now = readValidators(headers)
    const isSame = sameValidators(now, this.#validators) && found === sizeBytes
    // 416 need not say more than the size.
    if (!isSame && (status !== 416 || found !== sizeBytes))
      throw changedOnServer(this.#url, this.version, versionOf(now, { sizeBytes: found }))
    if (status !== 206)
      throw answerError(url, `status ${status} to a request for a part`, {
        field: 'The status',
        found: status,
        expected: 206,
      })
    refuseEncoded(answer)
    checkRange(answer, { from, to, sizeBytes })
  }
}

/** The whole file in a nameless one; the one that is here already, if it is of the same state. */
async function openSpooled(opening: Opening, answer: Exchange, signal?: AbortSignal): Promise<WebSource> {
  const { session, url, path } = opening
  const { headers } = answer
  const validators = readValidators(headers)
  const stated = headers['content-length'] === undefined ? null : Number(headers['content-length'])
  const known = session.spools.get(path)
  if (known !== undefined) {
    const isSame =
      sameValidators(known.validators, validators) && (stated ?? known.sizeBytes) === known.sizeBytes
    if (isSame && (!areNone(validators) || known.ageMs < blindMs)) {
      discard(answer)
      return spooledSource(opening, answer.url, known)
    }
  }
  session.log?.warn('the server gives no parts of files: the whole image is fetched first', {
    url: shownUrl(url),
    bytes: stated,
  })
  const spool = new Spool(url, session.spoolFolder, validators)
  try {
    await spool.checkRoom(stated ?? 0)
    await takeBody(answer.body, {
      url: answer.url,
      stallMs: session.stallMs,
      signal,
      onBytes: (bytes) => spool.append(bytes),
    })
    if (stated !== null && spool.sizeBytes !== stated) throw cutShort(answer.url, spool.sizeBytes)
  } catch (error) {
    spool.close()
    throw error
  }
  session.log?.info('the image is here', { url: shownUrl(url), bytes: spool.sizeBytes })
  session.keepSpool(path, spool)
  return spooledSource(opening, answer.url, spool)
}

function spooledSource({ session, path }: Opening, finalUrl: URL, spool: Spool): WebSource {
  const { sizeBytes, validators, fd } = spool
  const release = session.holdSpool(path, spool)
  const read = async (into: Uint8Array, offset: number, signal?: AbortSignal) => {
    if (into.length > 0 && offset + into.length > sizeBytes)
      throw endsBefore(path, offset, into.length, sizeBytes)
    signal?.throwIfAborted()
    await spool.read(path, into, offset, signal)
  }
  return {
    path,
    sizeBytes,
    fd,
    read,
    finalUrl: shownUrl(finalUrl),
    version: versionOf(validators, { sizeBytes, digest: `sha256:${spool.digest}` }),
    modifiedMs: modifiedOf(validators),
    async stream(from, to, take, { signal } = {}) {
      const bytes = new Uint8Array(to - from)
      await read(bytes, from, signal)
      take(bytes, from)
    },
    async [Symbol.asyncDispose]() {
      release()
    },
  }
}

/** Another failure, after bytes came: the count of tries begins anew. */
class GotOn extends Error {
  constructor(cause: unknown) {
    super('', { cause })
  }
}

const isTransient = (error: unknown) => error instanceof AppError && error.transient

/** `work` again after what may pass. `most`: how often; null for as often as the session has pauses. */
async function tryAgain<T>(
  session: WebSession,
  signal: AbortSignal | undefined,
  most: number | null,
  work: () => Promise<T>,
): Promise<T> {
  const pauses = session.pausesMs.slice(0, most ?? session.pausesMs.length)
  for (let failures = 0; ;) {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      const gotOn = error instanceof GotOn
      const reason = gotOn ? error.cause : error
      if (gotOn) failures = 0
      const pauseMs = pauses[failures]
      if (!isTransient(reason) || pauseMs === undefined) throw reason
      failures += 1
      session.log?.info('trying again', { reason: (reason as Error).message, pauseMs })
      await session.sleep(pauseMs, signal)
    }
  }
}

/** 206 with exactly the range that was asked for, and no other number of bytes announced. */
function checkRange(
  { url, headers }: Head,
  { from, to, sizeBytes }: { readonly from: number; readonly to: number; readonly sizeBytes: number },
): void {
  const text = headers['content-range']
  const range = parseContentRange(text)
  if (range?.from !== from || range.to !== to || range.sizeBytes !== sizeBytes)
    throw answerError(url, 'another part than was asked for', {
      field: 'Content-Range',
      found: text?.slice(0, 100) ?? 'nothing',
      expected: `bytes ${from}-${to - 1}/${sizeBytes}`,
    })
  const length = headers['content-length']
  if (length !== undefined && Number(length) !== to - from)
    throw answerError(url, 'another length than that of the part', {
      field: 'Content-Length',
      found: length.slice(0, 30),
      expected: String(to - from),
    })
}

/** We asked for the file's own bytes. A server that names the compression of a `.gz` file sends these all the same. */
function refuseEncoded({ url, headers }: Head): void {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'identity' || encoding === '' || /\.(gz|tgz|bz2|xz|zst)$/i.test(url.pathname)) return
  throw answerError(url, `the answer is compressed (${encoding.slice(0, 30)}) though that was declined`, {
    field: 'Content-Encoding',
    found: encoding.slice(0, 30),
    expected: 'identity',
  })
}

const refusedStatus = ({ url, status, headers, gavePassword = false }: Head) =>
  statusError(url, status, { challenge: headers['www-authenticate'], given: gavePassword })

function discard({ body }: Exchange): void {
  body.on('error', () => undefined)
  body.destroy()
}

function notAnAddress(locator: string): UsageError {
  const problem = `That isn't a complete address of a file on a web server: ${withoutPassword(locator)}`
  return new UsageError('E_USAGE', problem, { details: { input: 'source', problem: `${problem}.` } })
}
