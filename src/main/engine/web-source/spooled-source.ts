/** A file of a server that can't give parts of it: fetched once as a whole, and read from there. */
import { discard } from './answers.ts'
import { takeBody } from './body.ts'
import type { Exchange } from './exchange.ts'
import { endsBefore, Spool } from './spool.ts'
import { areNone, modifiedOf, readValidators, sameValidators, versionOf } from './validators.ts'
import { cutShort, shownUrl } from './web-errors.ts'
import type { Opening, Taking, WebSource } from './web-source.ts'

/** An answer without any validator is good for as long as a plan is. */
const blindMs = 10 * 60_000

/** The whole file in a nameless one; the one that is here already, if it is of the same state. */
export async function openSpooled(
  opening: Opening,
  answer: Exchange,
  { signal, came }: Taking,
): Promise<WebSource> {
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
  const progress = session.fetchWatch?.begin(path, stated)
  const spool = new Spool(url, session.spoolFolder, validators)
  try {
    await spool.checkRoom(stated ?? 0)
    await takeBody(answer.body, {
      url: answer.url,
      stallMs: session.stallMs,
      signal,
      async onBytes(bytes) {
        came()
        await spool.append(bytes)
        progress?.advance(spool.sizeBytes)
      },
    })
    if (stated !== null && spool.sizeBytes !== stated) throw cutShort(answer.url, spool.sizeBytes)
  } catch (error) {
    spool.close()
    throw error
  } finally {
    progress?.end()
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
    trouble: null,
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
