/** A file of a server that can't give parts of it: fetched once as a whole, and read from there. */
import { discard } from './answers.ts'
import { takeBody } from './body.ts'
import type { Exchange } from './exchange.ts'
import { endsBefore, Spool } from './spool.ts'
import { areNone, modifiedOf, readValidators, sameValidators, versionOf } from './validators.ts'
import { cutShort, shownUrl } from './web-errors.ts'
import type { Opening, Taking, WebSource } from './web-source.ts'
import type { WholeFile } from './whole-files.ts'

/** An answer without any validator is good for as long as a plan is. */
const blindMs = 10 * 60_000

/** What is here already and is meant, where an answer of the server would tell no more; null: it has to be asked. */
export function alreadyHere(opening: Opening): WebSource | null {
  const known = opening.client.wholeFiles.get(opening.path)
  if (known === null || known.saysSize || !isBlind(known) || !isMeant(opening, known)) return null
  return spooledSource(opening, known.finalUrl, known)
}

const isBlind = ({ validators }: WholeFile) => areNone(validators)

/**
 * Whoever had it before means this one, and so does who looks at it until somebody has used it: nobody waits for it once for the
 * plan and once more with every change to that. Whoever comes after means what the server has then.
 */
function isMeant({ client, again, stamp, look }: Opening, known: WholeFile): boolean {
  if (again) return stamp === null || stamp === stampOf(known)
  return look && !client.wholeFiles.isUsed(known) && client.now() - known.cameMs < blindMs
}

const stampOf = ({ spool, validators }: WholeFile) =>
  versionOf(validators, { sizeBytes: spool.sizeBytes, digest: `sha256:${spool.digest}` })

/** The whole file in a nameless one; the one that is here already, if it is of the same state. */
export async function openSpooled(
  opening: Opening,
  answer: Exchange,
  { signal, came }: Taking,
): Promise<WebSource> {
  const { client, url, path } = opening
  const { headers } = answer
  const validators = readValidators(headers)
  const stated = headers['content-length'] === undefined ? null : Number(headers['content-length'])
  const known = client.wholeFiles.get(path)
  if (known !== null) {
    const { sizeBytes } = known.spool
    const isSame = sameValidators(known.validators, validators) && (stated ?? sizeBytes) === sizeBytes
    if (isSame && (!isBlind(known) || isMeant(opening, known))) {
      discard(answer)
      return spooledSource(opening, answer.url, known)
    }
  }
  client.log?.warn('the server gives no parts of files: the whole image is fetched first', {
    url: shownUrl(url),
    bytes: stated,
  })
  const progress = client.fetchWatch?.begin(path, stated)
  const spool = new Spool(url, client.spoolFolder)
  try {
    await spool.checkRoom(stated ?? 0)
    await takeBody(answer.body, {
      url: answer.url,
      stallMs: client.stallMs,
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
  client.log?.info('the image is here', { url: shownUrl(url), bytes: spool.sizeBytes })
  const file: WholeFile = {
    spool,
    validators,
    finalUrl: answer.url,
    saysSize: stated !== null,
    cameMs: client.now(),
  }
  client.wholeFiles.keep(path, file)
  return spooledSource(opening, answer.url, file)
}

function spooledSource({ client, path, look }: Opening, finalUrl: URL, file: WholeFile): WebSource {
  const { spool, validators } = file
  const { sizeBytes, fd } = spool
  if (!look) client.wholeFiles.use(file)
  const release = client.wholeFiles.hold(path, file)
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
    version: stampOf(file),
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
