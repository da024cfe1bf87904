/**
 * A file on a web server as a `BlockSource`. The first request asks for the beginning and learns the rest from the answer:
 * how long the file is, what tells this state of it from another, whether the server gives parts. Every later answer must
 * be of the same state.
 *
 *     openWebSource ─ exchange ─ redirects, passwords, proxies, TLS
 *          │
 *          ├─ ranges      RangedSource: 206 with exactly what was asked for, taken up again where it broke off
 *          └─ no ranges   SpooledSource: everything once into a nameless file
 */
import { UsageError } from '#shared/errors'
import { withoutPassword } from '#shared/model'
import { checkRange, discard, refusedStatus, refuseEncoded } from './answers.ts'
import { takeBody } from './body.ts'
import { parseContentRange } from './content-range.ts'
import { exchange, type Exchange } from './exchange.ts'
import { Waiting } from './fetch-watch.ts'
import { Outage, Tries, untoldMs } from './outage.ts'
import { RangedSource } from './ranged-source.ts'
import { alreadyHere, openSpooled } from './spooled-source.ts'
import { tryAgain } from './try-again.ts'
import { areNone, readValidators } from './validators.ts'
import { answerError, cutShort, shownUrl, tooMuch } from './web-errors.ts'
import { sharedWebClient, type WebClient } from './web-client.ts'
import type { Opening, Taking, WebSource } from './web-source.ts'

export interface OpenWebOptions {
  readonly signal?: AbortSignal
  /** Default: the process's. */
  readonly client?: WebClient
  /**
   * It was opened before: its server is waited for as whoever reads waits, and what a server sent that gives no parts and tells no state
   * from another is what is meant, whatever it would send now.
   */
  readonly again?: boolean
  /** What its `version` was then: what is here in another state isn't meant. */
  readonly stamp?: string
  /** Somebody only looks at it, before it is read: of such a server, what came a moment ago for whoever looked will do. */
  readonly look?: boolean
}

/** What the first question brings beside its answer; a partition map is there. */
const headBytes = 65_536

/**
 * Open the file at `locator`, `http://` or `https://`, a name and a password in it where the server wants them. Throws
 * UsageError E_USAGE for an address that isn't one; NetworkError E_NET, E_NET_STALL, E_NET_STATUS, E_NET_PASSWORD,
 * E_NET_TLS, E_NET_REDIRECT, E_NET_ANSWER, E_NET_PROXY; E_NET_SPACE when there is no room for a file that can only be
 * fetched as a whole; the signal's reason.
 *
 * What may pass (a server that refuses connections or is overloaded, a connection that breaks) is asked again for the client's
 * `openingPatienceMs` (`openingRefusedMs` while connections are refused), all else thrown at once. `read` throws these, and DeviceError E_SRC_CHANGED when the file isn't what it was. Dropped connections, silence and
 * passing troubles of the server are met with another request, for what is still missing, for as long as the client's patience
 * lasts; so is a server that was there and isn't any more.
 */
export async function openWebSource(locator: string, options: OpenWebOptions = {}): Promise<WebSource> {
  const { signal, client = sharedWebClient(), again = false, stamp = null, look = false } = options
  const parsed = URL.parse(locator)
  if (parsed === null || parsed.hostname === '' || !/^https?:$/.test(parsed.protocol))
    throw notAnAddress(locator)
  const url = client.takePassword(parsed)
  const opening = { client, url, path: withoutPassword(url.href), again, stamp, look }
  signal?.throwIfAborted()
  const here = alreadyHere(opening)
  if (here !== null) return here
  const { now } = client
  const outage = again ? new Outage(client) : client.openingOutage(url)
  const tries = new Tries(client, outage)
  const waiting = new Waiting(client, opening.path, 'opening')
  const openedMs = now()
  let beganMs = openedMs
  let lastMs = openedMs
  const came = () => {
    lastMs = now()
  }
  const pauseAfter = (error: unknown) => {
    const pauseMs = tries.pauseAfter(error, { beganMs, lastMs })
    // A gateway may take a minute for each of its troubles.
    if (pauseMs !== null) waiting.again(now() - openedMs >= untoldMs ? error : outage.trouble)
    return pauseMs
  }
  try {
    const opened = await tryAgain(client, signal, pauseAfter, async () => {
      const headers = { range: `bytes=0-${headBytes - 1}` }
      beganMs = lastMs = now()
      const answer = await exchange(client, url, { headers, signal })
      came()
      try {
        // All of it may come now.
        if (answer.status < 300) waiting.end()
        return await fromAnswer(opening, answer, { signal, came })
      } catch (error) {
        discard(answer)
        throw error
      }
    })
    outage.heard()
    return opened
  } finally {
    waiting.end()
  }
}

async function fromAnswer(opening: Opening, answer: Exchange, taking: Taking): Promise<WebSource> {
  const { client, url } = opening
  const { status, headers } = answer
  if (status === 416 && parseContentRange(headers['content-range'])?.sizeBytes === 0) {
    discard(answer)
    return new RangedSource(opening, answer.url, readValidators(headers), 0, new Uint8Array(0))
  }
  if (status === 200) {
    refuseEncoded(answer)
    return openSpooled(opening, answer, taking)
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
  const head = await takePiece(answer, to, client, taking)
  const validators = readValidators(headers)
  if (areNone(validators))
    client.log?.warn('the server gives neither an ETag nor a date: a change would go unnoticed', {
      url: shownUrl(url),
    })
  const kept = await client.keptParts(opening.path, validators, sizeBytes)
  return new RangedSource(opening, answer.url, validators, sizeBytes, head, kept)
}

/** A body of `lengthBytes` as one piece. */
async function takePiece(
  answer: Exchange,
  lengthBytes: number,
  client: WebClient,
  { signal, came }: Taking,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(lengthBytes)
  let at = 0
  await takeBody(answer.body, {
    url: answer.url,
    stallMs: client.stallMs,
    signal,
    onBytes: (piece) => {
      came()
      if (at + piece.length > bytes.length) throw tooMuch(answer.url, bytes.length)
      bytes.set(piece, at)
      at += piece.length
    },
  })
  if (at < bytes.length) throw cutShort(answer.url, at)
  return bytes
}

function notAnAddress(locator: string): UsageError {
  const problem = `That isn't a complete address of a file on a web server: ${withoutPassword(locator)}`
  return new UsageError('E_USAGE', problem, { details: { input: 'source', problem: `${problem}.` } })
}
