/**
 * The way for ranges where nothing stands between us and the server: HTTP/1.1 over plain connections of our own, received
 * where the bytes belong. Costs a third of the processor that `node:http` takes for the same bytes, which on a fast network is
 * the difference between the file's speed and half of it.
 *
 * It knows one kind of answer: 206 with a Content-Length. Anything else is `declined`, and asked for again the usual way
 * (`exchange.ts`), which tells what is wrong with it.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'
import { watchSilence } from './body.ts'
import { cutShort, networkFailure, stalled, tooMuch } from './web-errors.ts'

export interface FastRange {
  readonly url: URL
  readonly headers: { readonly [name: string]: string }
  readonly lengthBytes: number
  readonly stallMs: number
  readonly signal: AbortSignal | undefined
  /** The answer's headers, before any of its bytes. May throw. */
  readonly check: (headers: IncomingHttpHeaders) => void
  /** Bytes are the caller's only until it returns, and lie in the last `room` if there was one. May throw. */
  readonly onBytes: (bytes: Uint8Array) => void
  /** Where the next bytes may be received, at least one: nobody has to copy them then. */
  readonly room?: (() => Uint8Array) | undefined
}

const receiveBytes = 256 * 1024
const headRoomBytes = 4096
/** As `node:http` has it. */
const mostHeadBytes = 16 * 1024
/** Connections that wait for their next question, and for how long; servers mostly wait for a minute. */
const mostIdle = 8
const idleMs = 15_000

export class FastLane {
  readonly #idle: { readonly line: Line; readonly timer: NodeJS.Timeout }[] = []

  /** Throws NetworkError E_NET, E_NET_STALL, what `check` and `onBytes` throw, the signal's reason. */
  async fetch(range: FastRange): Promise<'done' | 'declined'> {
    for (;;) {
      range.signal?.throwIfAborted()
      const kept = this.#takeIdle(range.url)
      const line = kept ?? new Line(range.url)
      const end = await line.ask(range)
      // The server had closed the connection that was kept.
      if (end === 'stale' && kept !== null) continue
      if (end === 'stale') throw cutShort(range.url, 0)
      if (end === 'done') this.#keep(line)
      return end
    }
  }

  close(): void {
    for (const { line, timer } of this.#idle.splice(0)) {
      clearTimeout(timer)
      line.close()
    }
  }

  /** One that the server has closed meanwhile would never answer. */
  #takeIdle(url: URL): Line | null {
    for (;;) {
      const index = this.#idle.findIndex(({ line }) => line.host === url.host)
      if (index < 0) return null
      const [entry] = this.#idle.splice(index, 1)
      clearTimeout(entry?.timer)
      if (entry?.line.isOpen === true) return entry.line
    }
  }

  #keep(line: Line): void {
    if (this.#idle.length >= mostIdle || !line.isOpen) return line.close()
    const timer = setTimeout(() => {
      this.#idle.splice(
        this.#idle.findIndex((entry) => entry.line === line),
        1,
      )
      line.close()
    }, idleMs)
    timer.unref()
    line.rest()
    this.#idle.push({ line, timer })
  }
}

type End = 'done' | 'declined' | 'stale'

/** What is under way on a line. */
interface Answer {
  readonly range: FastRange
  readonly touch: () => void
  readonly settle: (end: End) => void
  readonly fail: (error: unknown) => void
  /** Null once the body has begun. */
  head: Buffer | null
  left: number
}

/** One connection: a question, its answer, the next question. */
class Line {
  readonly host: string
  readonly #socket: Socket
  readonly #ownRoom = Buffer.allocUnsafe(receiveBytes)
  #answer: Answer | null = null
  #isUsed = false
  /** The server closes it after this answer. */
  #isLast = false

  constructor(url: URL) {
    this.host = url.host
    this.#socket = connect({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? 80 : Number(url.port),
      onread: {
        // Asked at the beginning, and after each call back for the next one.
        buffer: () => this.#room(),
        callback: (length, room) => {
          this.#receive(room.subarray(0, length))
          return true
        },
      },
    })
    this.#socket.setNoDelay(true)
    this.#socket.on('error', (error) => this.#ended(error))
    this.#socket.on('end', () => this.#ended(null))
    this.#socket.on('close', () => this.#ended(null))
  }

  get isOpen(): boolean {
    return !this.#isLast && !this.#socket.destroyed && this.#socket.writable
  }

  /** Nobody waits for it: it keeps no process alive. */
  rest(): void {
    this.#socket.unref()
  }

  close(): void {
    this.#socket.destroy()
  }

  ask(range: FastRange): Promise<End> {
    const { url, headers, signal, stallMs } = range
    return new Promise<End>((resolve, reject) => {
      const silence = watchSilence(stallMs, () =>
        answer.fail(stalled(url, answer.head === null ? 'body' : 'answer', stallMs)),
      )
      const stop = () => {
        silence.stop()
        signal?.removeEventListener('abort', abort)
        this.#answer = null
      }
      const answer: Answer = {
        range,
        head: Buffer.alloc(0),
        left: 0,
        touch: () => silence.touch(),
        settle: (end) => {
          stop()
          if (end !== 'done') this.close()
          resolve(end)
        },
        fail: (error) => {
          stop()
          this.close()
          reject(error)
        },
      }
      const abort = () => answer.fail(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      this.#answer = answer
      this.#socket.ref()
      const lines = Object.entries({ host: url.host, connection: 'keep-alive', ...headers })
      this.#socket.write(
        `GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
        'latin1',
      )
    })
  }

  /**
   * Where the next bytes go: those of a body where they belong, never more than are left of it. A head has little room, as
   * what comes of the body along with it must be copied.
   */
  #room(): Uint8Array {
    const answer = this.#answer
    if (answer === null || answer.head !== null) return this.#ownRoom.subarray(0, headRoomBytes)
    if (answer.range.room === undefined) return this.#ownRoom
    return answer.range.room().subarray(0, answer.left)
  }

  #receive(bytes: Uint8Array): void {
    const answer = this.#answer
    // Nobody asked for anything.
    if (answer === null) return this.close()
    this.#isUsed = true
    // A head that comes drop by drop has no more time than another.
    if (answer.head === null) answer.touch()
    try {
      const body = answer.head === null ? bytes : this.#takeHead(answer, bytes)
      if (body === null || body.length === 0) return
      if (body.length > answer.left) throw tooMuch(answer.range.url, answer.range.lengthBytes)
      answer.range.onBytes(body)
      answer.left -= body.length
      if (answer.left === 0) answer.settle('done')
    } catch (error) {
      answer.fail(error)
    }
  }

  /** What follows the head in `bytes`; null when the head isn't whole yet, or the answer isn't one for this lane. */
  #takeHead(answer: Answer, bytes: Uint8Array): Uint8Array | null {
    const head = Buffer.concat([answer.head ?? Buffer.alloc(0), bytes.subarray(0, mostHeadBytes)])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0 && head.length < mostHeadBytes) {
      answer.head = head
      return null
    }
    const before = answer.head?.length ?? 0
    const headers = end < 0 ? null : parseHead(head.toString('latin1', 0, end))
    if (headers === null || Number(headers['content-length']) !== answer.range.lengthBytes) {
      answer.settle('declined')
      return null
    }
    answer.range.check(headers)
    this.#isLast = /close/i.test(headers['connection'] ?? '')
    answer.head = null
    answer.left = answer.range.lengthBytes
    return bytes.subarray(end + 4 - before)
  }

  #ended(error: Error | null): void {
    const answer = this.#answer
    this.close()
    if (answer === null) return
    const { url, lengthBytes } = answer.range
    const isCut =
      error === null || ('code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE'))
    if (isCut && answer.head?.length === 0 && this.#isUsed) answer.settle('stale')
    else if (isCut) answer.fail(cutShort(url, answer.head === null ? lengthBytes - answer.left : 0))
    else answer.fail(networkFailure(error, { url, phase: this.#isUsed ? 'body' : 'connect', proxy: null }))
  }
}

/** Headers of a 206 in the plainest form there is; null for anything else. Names in small letters, none twice. */
function parseHead(text: string): IncomingHttpHeaders | null {
  const [status = '', ...lines] = text.split('\r\n')
  if (!/^HTTP\/1\.1 206(?: |$)/.test(status) || lines.length > 100) return null
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([^\r\n\0]*?)[ \t]*$/.exec(line)
    const name = match?.[1]?.toLowerCase()
    if (match === null || name === undefined) return null
    if (name in headers && /^(content-|transfer-|etag|last-modified|connection)/.test(name)) return null
    headers[name] = match[2] ?? ''
  }
  const isPlain =
    headers['transfer-encoding'] === undefined && /^\d{1,15}$/.test(headers['content-length'] ?? '')
  return isPlain ? headers : null
}
